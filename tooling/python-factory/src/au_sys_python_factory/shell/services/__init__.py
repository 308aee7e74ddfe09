"""Servers that a shell brings along when asked: on free loopback ports, with their data below the state folder."""
