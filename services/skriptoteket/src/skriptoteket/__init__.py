"""Governed script library: colleagues upload files to reviewed Python tools, every run is sandboxed."""
