"""Keys that try to be more than names."""

HOSTILE_KEYS = (
    "../../etc/passwd", "a/../b", "/", "//x", "..", ".", "C:\\x", "%2e%2e", "å/ä/ö", "a b?#&", "*", "[a-z]",
    "'; DROP TABLE docs; --", '"', '{"a","b"}', '\\"', "NULL", "%", "_", "\U0001f512" * 200, "k" * 1024,
)  # fmt: skip
"""Legal keys that must be kept apart from every path, pattern and delimiter."""

ILLEGAL_KEYS = ("", "a\0b", "a\nb", "\x7f", "k" * 1025, "\ud800", "A\u030a", "x" * 1_000_000)
"""Keys that no backend may ever see."""
