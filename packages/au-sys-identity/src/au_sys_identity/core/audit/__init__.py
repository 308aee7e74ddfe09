"""The audit log as a tree whose every claim can be checked without the database that keeps it."""
