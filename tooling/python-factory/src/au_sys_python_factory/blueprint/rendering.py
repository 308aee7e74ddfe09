"""Templates to files: an undefined name is an error, and Python comes out formatted."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from au_sys_python_factory.errors import Missing

SUFFIX = ".jinja"
_LINE = 120
_SORTED = "I,RUF022"


TEMPLATES = Path(str(files("au_sys_python_factory"))) / "templates"
"""Every released version of every template, inside the wheel: a folder ``capability/v1`` for each."""


def versions(kind: str, templates: Path = TEMPLATES) -> list[str]:
    """The versions of a template, oldest first."""
    found = [folder.name.removeprefix("v") for folder in (templates / kind).glob("v*")]
    return sorted((name for name in found if name.isdigit()), key=int)


def render(folder: Path, context: Mapping[str, object], spelled: Mapping[str, str]) -> dict[str, str]:
    """Every file of the template in ``folder`` by its path in the package; ``spelled`` fills ``__word__`` in paths."""
    environments = {False: _environment(folder), True: _environment(folder, pages=True)}
    rendered: dict[str, str] = {}
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        name = path.relative_to(folder).as_posix()
        target = name.removesuffix(SUFFIX)
        for word, spelling in spelled.items():
            target = target.replace(f"__{word}__", spelling)
        rendered[target] = environments[target.endswith(".html")].get_template(name).render(context)
    return rendered


@cache
def _environment(folder: Path, *, pages: bool = False) -> Environment:
    """Templates of pages are written with square brackets, because they make templates with braces."""
    signs = {
        "variable_start_string": "[[",
        "variable_end_string": "]]",
        "block_start_string": "[%",
        "block_end_string": "%]",
    }
    return Environment(  # noqa: S701 - it writes Python, TOML and templates; those are escaped when a page is shown
        loader=FileSystemLoader([folder, folder.parents[1]]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **(signs if pages else {}),  # type: ignore[arg-type]  # four texts, all of them delimiters
    )


def formatted(rendered: Mapping[str, str], first_party: Sequence[str]) -> dict[str, str]:
    """The same files with Python formatted, imports sorted and unused ones dropped, as ruff does it.

    Raises:
        Missing: ruff does not answer.
    """
    code = {path: text for path, text in rendered.items() if path.endswith(".py")}
    return {**rendered, **_through_ruff(code, first_party, "I,F401,RUF022,SIM300", whole=True)}


def with_sorted_imports(texts: Mapping[str, str], first_party: Sequence[str]) -> dict[str, str]:
    """The same files with their imports gathered and sorted, and ``__all__``; nothing else is touched.

    Raises:
        Missing: ruff does not answer.
    """
    return _through_ruff(texts, first_party, _SORTED, whole=False)


def as_before(texts: Mapping[str, str], before: Mapping[str, str], first_party: Sequence[str]) -> dict[str, str]:
    """Edited files with imports and ``__all__`` sorted, and formatted where they were formatted ``before``.

    Raises:
        Missing: ruff does not answer.
    """
    if not texts:
        return {}
    done = _through_ruff(before, [], "", whole=True)
    loose = {path for path, text in before.items() if done[path] != text}
    sorted_only = with_sorted_imports({path: texts[path] for path in loose}, first_party)
    whole = {path: text for path, text in texts.items() if path not in loose}
    return {**_through_ruff(whole, first_party, _SORTED, whole=True), **sorted_only}


def _through_ruff(
    rendered: Mapping[str, str], first_party: Sequence[str], rules: str, *, whole: bool
) -> dict[str, str]:
    if not rendered:
        return {}
    with TemporaryDirectory(prefix="python-factory-") as folder:
        root = Path(folder)
        for name, text in rendered.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        own = f"lint.isort.known-first-party={json.dumps(sorted(first_party))}"
        if rules:
            _ruff(root, "check", "--select", rules, "--fix", "--exit-zero", "--config", own)
        if whole:
            _ruff(root, "format")
        return {name: (root / name).read_text(encoding="utf-8") for name in rendered}


def _ruff(folder: Path, *arguments: str) -> None:
    shared = [
        "--isolated",
        "--no-cache",
        "--quiet",
        "--config",
        f"line-length={_LINE}",
        "--config",
        'target-version="py311"',
    ]
    command = [sys.executable, "-m", "ruff", *arguments, *shared, "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    if done.returncode != 0:
        raise Missing(f"ruff failed on the rendered files: {done.stderr.strip() or done.stdout.strip()}", fix="uv sync")
