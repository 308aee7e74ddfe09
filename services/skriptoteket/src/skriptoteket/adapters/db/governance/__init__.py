"""Suggestions, stewardship and nominations on SQL."""
