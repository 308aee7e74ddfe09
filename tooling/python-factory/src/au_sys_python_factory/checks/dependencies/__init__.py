"""Family D: what is declared is what is used, bounded and public."""
