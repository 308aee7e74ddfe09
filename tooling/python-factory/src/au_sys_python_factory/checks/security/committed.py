"""Keys and tokens in files that everybody gets."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from au_sys_python_factory.checks.reading.project import MemberFiles
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule

_SIGNS = re.compile(
    r"(?P<key>-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s*(?:\\n)?[\"']?\s*[A-Za-z0-9+/=]{40,})"
    r"|(?P<amazon>\bAKIA(?!IOSFODNN7EXAMPLE)[0-9A-Z]{16}\b)"
    r"|(?P<github>\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_[A-Za-z0-9_]{60,}\b)"
    r"|(?P<gitlab>\bglpat-[A-Za-z0-9_-]{20}\b)"
    r"|(?P<slack>\bxox[abprs]-[0-9]{8,}-[A-Za-z0-9-]{10,})"
    r"|(?P<stripe>\b[sr]k_live_[A-Za-z0-9]{20,})"
    r"|(?P<google>\bAIza[0-9A-Za-z_-]{35}\b)"
    r"|(?P<pypi>\bpypi-AgE[A-Za-z0-9_-]{50,})"
)
_HINTS = ("PRIVATE KEY", "AKIA", "gh", "glpat-", "xox", "k_live_", "AIza", "pypi-AgE")
_NAMES = {
    "key": "a private key", "amazon": "an access key of Amazon", "github": "a token of GitHub",
    "gitlab": "a token of GitLab", "slack": "a token of Slack", "stripe": "a key of Stripe",
    "google": "a key of Google", "pypi": "a token of the package index",
}  # fmt: skip
_TEXTS = (
    ".toml", ".yaml", ".yml", ".json", ".md", ".txt", ".cfg", ".ini", ".env", ".example", ".sh", ".pem", ".key",
    ".html", ".js", ".service", ".conf", ".sql", ".csv",
)  # fmt: skip
_PASSED_OVER = {"__pycache__", ".venv", "node_modules", ".git", "dist", "build", ".shell", ".factory", "packages"}
_LARGEST = 1_000_000


def in_code(file: SourceFile) -> Iterator[Hit]:
    """Secrets in Python files, tests included."""
    yield from _found(file.text, file.path)


def in_files(member: MemberFiles) -> Iterator[Hit]:
    """Secrets in the other files of a member."""
    for folder, folders, names in os.walk(member.member.path):
        folders[:] = [name for name in folders if name not in _PASSED_OVER]
        for name in names:
            if name.endswith(_TEXTS) or name == ".env":
                path = Path(folder, name)
                if not path.is_symlink() and path.stat().st_size < _LARGEST:
                    yield from _found(path.read_text(encoding="utf-8", errors="replace"), path)


def _found(text: str, path: Path) -> Iterator[Hit]:
    if any(hint in text for hint in _HINTS):
        for match in _SIGNS.finditer(text):
            kind = _NAMES[match.lastgroup or "key"]
            yield Hit(text.count("\n", 0, match.start()) + 1, 1, f"{kind} stands in the file", path)


S08 = Rule(
    "S08",
    "A secret in a committed file",
    "It is in every clone and every backup, and stays there when the line is deleted.",
    "revoke it, delete it, and read it from the environment or from a file outside of the repository.",
    'TOKEN = "ghp_' + "0123456789abcdefghijABCDEFGHIJ012345" + '"\n',
    'PREFIX = "ghp_"\n',
    areas=("source", "tests", "other"),
    file_check=in_code,
    member_check=in_files,
)

RULES = (S08,)
