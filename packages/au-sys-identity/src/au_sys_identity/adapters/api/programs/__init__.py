"""Machines, their keys, and what tells about tokens."""
