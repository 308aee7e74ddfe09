"""What is decided before a body is read: host, limits, origin, who asks, and whether there is room."""
