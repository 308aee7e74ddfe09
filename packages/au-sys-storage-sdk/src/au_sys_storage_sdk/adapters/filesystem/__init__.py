"""Files as a backend for blobs."""
