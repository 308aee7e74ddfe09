"""What proves a person beyond the password: authenticator app and recovery codes."""
