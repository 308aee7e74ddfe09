"""From settings to a running platform: load, order, wire, mount, start, stop."""
