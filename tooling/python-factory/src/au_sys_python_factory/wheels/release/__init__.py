"""Releases of the workspace's members: planned from what changed, one commit with tags, proved, published."""
