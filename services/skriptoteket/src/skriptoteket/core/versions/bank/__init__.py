"""Tools that ship with the library."""
