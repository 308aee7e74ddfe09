"""Our own house in order: edges, machines and rules against the subjects that there are."""
