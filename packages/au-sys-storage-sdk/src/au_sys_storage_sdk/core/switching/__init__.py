"""Move a live store to another backend without a lost write."""
