"""An older application becomes a capability: planned, applied, and proved by replaying what it used to answer."""
