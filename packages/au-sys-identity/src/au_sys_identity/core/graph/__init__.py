"""Typed edges between subjects."""
