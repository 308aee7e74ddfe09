"""Ideas for tools, and what became of them."""
