"""Sign-in, and what follows it until it ends."""
