"""What operators do from the command line: move, check and count what is stored."""
