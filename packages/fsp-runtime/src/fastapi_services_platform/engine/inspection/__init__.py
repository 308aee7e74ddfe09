"""What can be said of loaded capabilities without asking them: why they are there, and how good they are."""
