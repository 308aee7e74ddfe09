"""What imports what: everything that a change reaches, and pictures of it."""
