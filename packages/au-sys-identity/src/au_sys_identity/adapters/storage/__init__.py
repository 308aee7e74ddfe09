"""What identity keeps through the storage SDK."""
