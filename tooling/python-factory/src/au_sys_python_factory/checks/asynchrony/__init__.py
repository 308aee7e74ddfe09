"""Family Y: nothing blocks the event loop."""
