"""What is seen of a run while it lives: its streams, its steps, and what its end means."""
