"""Three-way merge: what the owner changed and what the template changed, both kept or a conflict named."""
