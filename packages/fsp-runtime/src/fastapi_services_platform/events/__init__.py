"""The event outbox: facts written in the publisher's transaction, delivered at least once, in order per key."""
