"""Answers like a platform."""
