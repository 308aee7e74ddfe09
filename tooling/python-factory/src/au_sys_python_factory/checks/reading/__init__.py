"""What rules look at: members, files, routes, parsed once."""
