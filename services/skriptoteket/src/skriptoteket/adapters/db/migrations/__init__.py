"""Alembic history of the script library."""
