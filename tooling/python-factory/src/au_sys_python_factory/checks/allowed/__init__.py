"""What may be although a rule is against it."""
