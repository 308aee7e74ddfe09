"""Object stores (S3, Google Cloud Storage, Azure, MinIO, Swift …) as a backend for blobs."""
