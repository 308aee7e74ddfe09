"""Staying up when something else does not."""
