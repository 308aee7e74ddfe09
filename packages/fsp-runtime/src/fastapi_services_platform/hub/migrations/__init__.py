"""Alembic history of the hub's own database."""
