"""Wire shapes of what proves somebody."""
