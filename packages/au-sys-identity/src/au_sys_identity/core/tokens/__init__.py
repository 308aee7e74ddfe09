"""Signed proofs of a session that services can check."""
