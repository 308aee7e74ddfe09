"""Several web processes on one server pass what one process on SQLite passes."""
