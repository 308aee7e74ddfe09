"""What happened: logs, audit trail, metrics, traces."""
