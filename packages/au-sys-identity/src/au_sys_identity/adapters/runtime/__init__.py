"""The ports of the platform that identity provides."""
