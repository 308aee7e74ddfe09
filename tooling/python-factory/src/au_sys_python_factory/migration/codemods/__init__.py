"""Rewriting that keeps what it does not mean: each takes a module's text and gives it back changed in places."""
