"""Alembic history of the identity schema."""
