"""What a script returns, made harmless."""
