"""The only wiring place."""
