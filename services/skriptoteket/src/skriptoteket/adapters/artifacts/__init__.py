"""Uploads and results as blobs."""
