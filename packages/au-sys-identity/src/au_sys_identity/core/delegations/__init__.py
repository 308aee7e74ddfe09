"""Delegation: an agent acts for a person, within what the person, the agent and the grant all allow."""
