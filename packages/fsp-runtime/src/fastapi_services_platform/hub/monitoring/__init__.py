"""What the hub knows of the platform: its parts, its health over time, its figures."""
