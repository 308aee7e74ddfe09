"""Tools and the words they are found by."""
