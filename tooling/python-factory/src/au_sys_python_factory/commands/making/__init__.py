"""Commands that make packages and parts of packages."""
