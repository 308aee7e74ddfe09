"""What single modules tell about themselves."""
