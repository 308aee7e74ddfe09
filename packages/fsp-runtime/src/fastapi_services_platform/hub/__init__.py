"""The platform's own capability: the hub page, the operators' pages, the platform API, the default audit trail."""
