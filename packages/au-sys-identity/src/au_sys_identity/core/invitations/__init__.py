"""Invitations by mail: to an organization, and to an account where there is none."""
