"""Who is asking and what they may do: ports that a capability provides and the runtime enforces."""
