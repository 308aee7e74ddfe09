"""Roles, grants and decisions."""
