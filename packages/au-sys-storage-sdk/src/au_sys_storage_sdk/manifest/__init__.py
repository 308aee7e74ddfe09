"""The only wiring place: what may be set, what is chosen, what is offered."""
