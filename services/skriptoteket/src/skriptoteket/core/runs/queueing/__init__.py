"""Who may wait, which worker can do it, and who is next."""
