"""The HTTP API of storage."""
