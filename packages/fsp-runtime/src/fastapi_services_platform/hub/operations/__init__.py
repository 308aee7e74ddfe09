"""The pages on which operators look at the platform, and the tabs that lead to them."""
