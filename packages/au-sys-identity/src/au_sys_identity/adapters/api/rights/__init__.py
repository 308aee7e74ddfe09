"""What is allowed: rules, questions, requests."""
