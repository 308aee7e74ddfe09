"""Family Z: nothing that pretends."""
