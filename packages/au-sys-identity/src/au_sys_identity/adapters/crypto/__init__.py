"""Hashing, sealing and signing."""
