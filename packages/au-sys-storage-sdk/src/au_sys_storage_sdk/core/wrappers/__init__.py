"""Behaviour around any document backend; a wrapped store passes the same conformance suite."""
