"""Another platform's storage as a backend: documents and blobs over its HTTP API."""
