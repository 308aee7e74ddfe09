"""What an older FastAPI application consists of, read from its text; nothing of it is run or imported."""
