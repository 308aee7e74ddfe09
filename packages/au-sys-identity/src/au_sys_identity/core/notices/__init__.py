"""Letters to people, through an outbox."""
