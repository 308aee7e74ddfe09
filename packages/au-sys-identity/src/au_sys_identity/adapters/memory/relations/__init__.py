"""Who there is and who belongs to whom."""
