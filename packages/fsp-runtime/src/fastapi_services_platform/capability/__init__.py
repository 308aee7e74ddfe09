"""What a capability is, what it may hand over, and how it is found and ordered."""
