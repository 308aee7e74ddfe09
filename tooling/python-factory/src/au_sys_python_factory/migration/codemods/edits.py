"""Changes of places in a text, found by the parser and carried out from the end to the beginning."""

from __future__ import annotations

import ast


class Edits:
    """A text with the changes that wait for it. Positions are the parser's: lines from 1, columns in bytes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = text.splitlines(keepends=True)
        starts = [0]
        for line in self._lines:
            starts.append(starts[-1] + len(line.encode()))
        self._starts = starts
        self._waiting: list[tuple[int, int, str]] = []

    def replace(self, node: ast.expr | ast.stmt | ast.alias | ast.arg, new: str) -> None:
        """Put ``new`` where a node is."""
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        self._waiting.append((self._at(node.lineno, node.col_offset), self._at(end_line, end_column), new))

    def between(self, start: tuple[int, int], end: tuple[int, int], new: str) -> None:
        """Put ``new`` between two places."""
        self._waiting.append((self._at(*start), self._at(*end), new))

    def insert_line(self, line: int, new: str) -> None:
        """Put a line of its own in front of a line, with that line's indentation unless it brings its own."""
        at = self._at(line, 0)
        self._waiting.append((at, at, new if new.endswith("\n") else f"{new}\n"))

    def remove_statement(self, node: ast.stmt) -> None:
        """Take a statement away with its decorators and its lines."""
        first = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", ()))])
        last = node.end_lineno or node.lineno
        self._waiting.append((self._at(first, 0), self._at(last + 1, 0), ""))

    def _at(self, line: int, column: int) -> int:
        return self._starts[min(line, len(self._starts)) - 1] + column if line - 1 < len(self._starts) else 0

    def done(self) -> str:
        """The text with all changes; a change inside another that was made already is left out."""
        data = self.text.encode()
        above = len(data) + 1
        numbered = [(*change, number) for number, change in enumerate(dict.fromkeys(self._waiting))]
        for start, end, new, _ in sorted(numbered, key=lambda item: (item[0], item[1], item[3]), reverse=True):
            if end <= above:
                data = data[:start] + new.encode() + data[end:]
                above = start if end > start else above
        return data.decode()
