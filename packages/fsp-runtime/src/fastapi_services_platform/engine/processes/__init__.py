"""Several web processes of one parent, and how they talk to each other."""
