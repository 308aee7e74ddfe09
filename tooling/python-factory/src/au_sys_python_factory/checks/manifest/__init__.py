"""Family M: what a capability says of itself is what its code does."""
