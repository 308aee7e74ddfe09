"""Volume limits on the limits library."""
