"""Stores in plain dicts, held to the same conformance suites as the real ones."""
