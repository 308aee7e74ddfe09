"""Wheels of the workspace's members: built when their content changed, proved together in a clean environment."""
