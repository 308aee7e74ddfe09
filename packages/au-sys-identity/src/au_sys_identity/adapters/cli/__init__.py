"""The command line au-sys-identity."""
