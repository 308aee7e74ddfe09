"""The validated description of what is to be made."""
