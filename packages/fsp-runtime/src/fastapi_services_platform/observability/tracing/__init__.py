"""Traces: which work is recorded is decided before any of it is, and an SDK is asked for what is."""
