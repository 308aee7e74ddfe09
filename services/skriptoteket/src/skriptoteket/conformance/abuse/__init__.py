"""Attacks by id, each a real script that tries to get out, to stay, or to take too much."""
