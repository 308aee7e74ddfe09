"""The API reference, served from here."""
