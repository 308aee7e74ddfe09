"""What happened, proved; and how to get back."""
