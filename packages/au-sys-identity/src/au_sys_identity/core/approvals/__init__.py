"""Approval of one act: a machine asks, a living custodian sees exactly one call and signs it, it works once."""
