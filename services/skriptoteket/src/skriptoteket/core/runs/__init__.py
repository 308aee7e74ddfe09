"""One execution of a tool: what it is given, how it lives, what comes out."""
