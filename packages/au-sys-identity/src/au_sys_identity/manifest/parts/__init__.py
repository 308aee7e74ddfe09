"""What the container builds, by subject."""
