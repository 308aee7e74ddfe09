"""Defects that are planted into the running platform, one for each stage of the gauntlet."""
