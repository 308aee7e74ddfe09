"""Environments: named, locked sets of packages that scripts may import once an administrator approved them."""
