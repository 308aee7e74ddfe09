"""Services by type, with two lifetimes: the app and one request."""
