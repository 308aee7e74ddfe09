"""Who is calling, and under which conditions."""
