"""The daemon that takes runs out of the queue and executes them."""
