"""What proves a subject: passwords, and what slows guessing."""
