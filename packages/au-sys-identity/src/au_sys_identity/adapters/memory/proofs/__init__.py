"""What proves somebody: credentials, factors, keys, approvals."""
