"""Dictionaries as a backend: for tests and throw-away platforms, and the model that other backends are held to."""
