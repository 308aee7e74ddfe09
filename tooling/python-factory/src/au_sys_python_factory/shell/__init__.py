"""Start, watch and stop a platform from wheels on this machine."""
