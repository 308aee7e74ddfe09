"""Runs in containers of Docker or Podman, over the engine's HTTP API on its Unix socket."""
