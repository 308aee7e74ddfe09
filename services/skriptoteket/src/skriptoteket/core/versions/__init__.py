"""Immutable snapshots of a tool's behaviour, from draft to published."""
