"""Tools that run at set times, for those who asked for it."""
