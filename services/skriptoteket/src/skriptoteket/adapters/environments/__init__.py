"""Environments on the disk: built from wheels, without a network, and checked."""
