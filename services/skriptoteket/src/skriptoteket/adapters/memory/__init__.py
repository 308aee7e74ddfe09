"""The library in plain dictionaries, for tests and demonstrations."""
