"""The platform as containers: an image made without a registry, and everything around it from a compose file."""
