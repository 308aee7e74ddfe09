"""Several nodes behind a proxy, restarted one after another while people work."""
