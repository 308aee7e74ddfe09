"""Proofs of the runner that take long or need more than a test may: kills without end, two hosts, an engine."""
