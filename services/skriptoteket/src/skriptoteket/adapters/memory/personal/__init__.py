"""What each person keeps, and where persons are named."""
