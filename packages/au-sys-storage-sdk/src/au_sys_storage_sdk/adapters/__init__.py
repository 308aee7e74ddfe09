"""One folder per outside thing: backends, the HTTP API, the command line."""
