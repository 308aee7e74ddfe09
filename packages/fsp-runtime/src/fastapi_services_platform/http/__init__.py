"""Everything between the socket and an endpoint."""
