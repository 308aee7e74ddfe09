"""Keep ``uv.lock`` on the public index, whatever the environment names.

An index in the environment beats the one in ``pyproject.toml`` whenever the lock has to change; its host then stays
in the lock, and neither ``uv lock`` nor ``uv lock --check`` says so.
"""
