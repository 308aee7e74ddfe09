"""Family A: who may import whom, and when work is done."""
