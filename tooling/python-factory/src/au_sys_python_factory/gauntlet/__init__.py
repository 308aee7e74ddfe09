"""Prove the life cycles of a running platform over real HTTP, from rows that the capabilities ship in their wheels."""
