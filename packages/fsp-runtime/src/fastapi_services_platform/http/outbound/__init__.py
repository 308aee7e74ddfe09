"""Calls to others: pooled clients of known upstreams, and a guarded client for addresses that people supply."""
