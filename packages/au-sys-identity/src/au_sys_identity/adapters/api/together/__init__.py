"""Routes of what holds subjects together: edges, custody, groups, organizations."""
