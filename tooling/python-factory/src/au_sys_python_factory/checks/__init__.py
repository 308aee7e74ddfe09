"""The house rules: one module per subject, one ``Rule`` per id."""
