"""Pages for administrators: what is stored, and changing one document."""
