"""Mail over SMTP, or into a folder."""
