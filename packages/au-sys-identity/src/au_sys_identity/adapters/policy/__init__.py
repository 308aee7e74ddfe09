"""The policy engine: compiled, in memory, explains itself."""
