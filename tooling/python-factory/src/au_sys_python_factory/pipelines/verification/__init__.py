"""Proof that a package is green: format, layers, types, tests, its wheel in a clean environment, its answers."""
