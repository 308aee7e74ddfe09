"""Family S: what an attacker would look for first."""
