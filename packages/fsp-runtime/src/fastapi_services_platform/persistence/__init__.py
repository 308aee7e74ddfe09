"""One database per capability: pooled engines, locked migrations, one transaction per unit of work."""
