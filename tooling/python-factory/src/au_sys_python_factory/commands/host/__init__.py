"""What the host has, and what will hurt."""
