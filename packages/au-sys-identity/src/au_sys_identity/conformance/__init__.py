"""What any adapter of a store must do; tests of the adapters inherit these suites."""
