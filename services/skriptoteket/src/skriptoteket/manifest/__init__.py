"""The only place where the library is wired."""
