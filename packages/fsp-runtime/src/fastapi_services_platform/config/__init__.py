"""What may be set from outside: the environment, three files, and flags that change while the platform runs."""
