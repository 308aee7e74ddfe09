"""What each command plans, made of small steps."""
