"""Tools that go on after their first answer: what they offered, what they remember, one step at a time."""
