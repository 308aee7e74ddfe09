"""The upgrade guide, followed."""
