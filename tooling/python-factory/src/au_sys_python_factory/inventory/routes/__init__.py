"""Which requests the application answers."""
