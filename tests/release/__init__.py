"""Releases rehearsed on a small workspace, against an index on this machine."""
