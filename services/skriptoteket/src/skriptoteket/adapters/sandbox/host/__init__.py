"""What the host's kernel lends to a sandbox and takes back: control groups, processes, filters of system calls."""
