"""Events between capabilities as operators see them: how far handlers are behind, and what they could not handle."""
