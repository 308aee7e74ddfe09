"""Subjects that stand together: roles given to a group reach its members."""
