"""The long form of the policy engine's proof."""
