"""SQLite as a backend for documents: one file, one writing process, group commit."""
