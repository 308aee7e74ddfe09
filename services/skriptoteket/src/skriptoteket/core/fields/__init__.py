"""Form fields: how a schema is written, and what values fit it."""
