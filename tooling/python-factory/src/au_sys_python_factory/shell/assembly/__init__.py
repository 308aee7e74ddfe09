"""From a platform folder to an installed environment with its configuration."""
