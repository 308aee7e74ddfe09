"""Those outside of the database who are told of each signed head."""
