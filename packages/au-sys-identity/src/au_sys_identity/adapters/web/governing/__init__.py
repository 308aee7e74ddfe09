"""Pages of those who look after others."""
