"""Places where an author's script can run without reaching anything else."""
