"""What any backend must do, as suites of tests: subclass one in your own tests and give it a fixture."""
