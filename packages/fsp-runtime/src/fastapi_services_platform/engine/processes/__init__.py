"""Web processes: how one is served, several of one parent, and how they talk to each other."""
