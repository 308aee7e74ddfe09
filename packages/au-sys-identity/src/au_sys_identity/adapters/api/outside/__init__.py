"""Directories and outside login providers."""
