"""The library in a SQL database: SQLite or PostgreSQL."""
