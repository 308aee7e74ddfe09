"""Makes, checks, wires and runs FSP capability packages."""

__version__ = "0.1.0"
