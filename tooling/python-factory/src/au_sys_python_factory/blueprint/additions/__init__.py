"""One more thing inside a package that the factory made: what is new, and what changes beside it."""
