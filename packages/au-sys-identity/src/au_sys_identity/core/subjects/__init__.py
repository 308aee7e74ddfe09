"""People and machines: who can be named."""
