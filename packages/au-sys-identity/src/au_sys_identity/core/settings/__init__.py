"""Settings that are changed while the platform runs."""
