"""What is in the workspace: its root, its members, and the files that they hold."""
