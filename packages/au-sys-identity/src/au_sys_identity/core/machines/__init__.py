"""Subjects that are programs, and the people who answer for them."""
