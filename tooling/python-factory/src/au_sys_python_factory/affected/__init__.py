"""What a change reaches: modules, tests, packages, and the import chain that leads there."""
