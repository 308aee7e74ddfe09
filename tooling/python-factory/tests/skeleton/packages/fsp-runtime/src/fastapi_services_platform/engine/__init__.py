"""A part behind the door."""
