"""Revisions of the outbox tables."""
