"""History of the outbox tables, kept beside the history of each capability that publishes."""
