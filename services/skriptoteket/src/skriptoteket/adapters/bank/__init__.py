"""The script bank as folders beside the package."""
