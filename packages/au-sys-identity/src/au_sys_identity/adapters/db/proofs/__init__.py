"""What proves somebody: credentials, factors, sessions, keys, approvals."""
