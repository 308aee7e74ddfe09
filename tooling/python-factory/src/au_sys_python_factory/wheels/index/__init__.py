"""A package index seen through its simple interface: which files it has, and what is in them."""
