"""Wire shapes of what is allowed."""
