"""The governed script library itself: values, rules and ports; no framework and no adapter."""
