"""What happened, and what can be brought back."""
