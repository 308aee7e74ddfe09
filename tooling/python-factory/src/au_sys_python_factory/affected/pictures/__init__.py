"""Pictures of what imports what: packages, layers of one package, or its modules."""
