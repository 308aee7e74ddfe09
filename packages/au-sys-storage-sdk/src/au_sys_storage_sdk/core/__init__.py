"""Addresses, values, ports and rules of storage; no framework, no backend."""
