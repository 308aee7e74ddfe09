"""Outside logins: OpenID Connect, and OAuth 2 for providers without it."""
