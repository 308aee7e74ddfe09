"""Accounts of people: made, changed, closed."""
