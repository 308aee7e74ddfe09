"""Programs that build a sandbox from its inside; they import nothing but the standard library and each other."""
