"""What runs need from outside, one noun a file: records, the queue, workers, files, the bell."""
