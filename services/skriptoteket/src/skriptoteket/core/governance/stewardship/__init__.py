"""Who looks after a tool."""
