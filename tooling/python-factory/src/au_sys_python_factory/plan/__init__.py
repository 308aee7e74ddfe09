"""Every command is a plan, then one apply."""
