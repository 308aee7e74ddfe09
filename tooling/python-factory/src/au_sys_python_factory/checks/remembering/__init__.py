"""What an earlier run saw need not be looked at again."""
