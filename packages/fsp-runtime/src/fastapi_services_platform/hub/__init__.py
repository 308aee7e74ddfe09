"""The platform's own capability."""
