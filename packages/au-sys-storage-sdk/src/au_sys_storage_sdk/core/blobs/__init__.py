"""Byte streams of any size under a namespace and key."""
