"""PostgreSQL as a backend for documents: several nodes may write, each with group commit."""
