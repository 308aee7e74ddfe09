"""What is done with runs by others than their requester: look after them, remove them, operate the service."""
