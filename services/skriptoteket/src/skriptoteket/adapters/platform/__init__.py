"""Time, ids and the ports of the runtime."""
