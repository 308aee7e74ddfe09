"""The domain of identity: values, rules and ports; no framework, no adapter, no runtime."""
