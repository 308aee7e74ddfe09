"""Work that the platform does by itself: schedules, who leads, supervised runs."""
