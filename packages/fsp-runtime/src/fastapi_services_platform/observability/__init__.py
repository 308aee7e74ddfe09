"""What the platform tells about itself: logs, audit trail, metrics, traces."""
