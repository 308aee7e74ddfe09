"""Wire shapes live here."""
