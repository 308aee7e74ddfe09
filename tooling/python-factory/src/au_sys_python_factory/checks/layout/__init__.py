"""Family L: files, folders, names and sizes."""
