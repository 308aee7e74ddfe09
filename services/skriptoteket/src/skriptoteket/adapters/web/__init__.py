"""Pages, and what pages and JSON share at the border of HTTP."""
