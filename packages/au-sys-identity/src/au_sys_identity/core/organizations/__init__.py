"""Tenants, and who belongs to them."""
