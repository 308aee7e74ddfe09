"""Which members a change of the lock concerns: those whose closure holds a distribution that changed."""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

LOCK = "uv.lock"
Lock = Mapping[str, object]


def concerned(root: Path, since: str) -> set[str] | None:
    """Members, by their distribution; ``None`` where the lock cannot be compared, which concerns everybody."""
    command = ["git", "-C", str(root), "show", f"{since}:./{LOCK}"]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - fixed words, a commit that git knows
    try:
        before = tomllib.loads(done.stdout.decode()) if done.returncode == 0 else None
        now = tomllib.loads((root / LOCK).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None
    return members_between(before, now) if before is not None else None


def members_between(before: Lock, now: Lock) -> set[str] | None:
    """The members that two locks differ for; ``None`` where they differ in what concerns everybody."""
    old, new = _packages(before), _packages(now)
    changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    tools = _tools(before, old) | _tools(now, new)
    rest = [{key: value for key, value in lock.items() if key != "package"} for lock in (before, now)]
    if rest[0] != rest[1] or changed & tools:
        return None
    members = {name for packages in (old, new) for name in packages if _is_member(packages[name])}
    return {name for name in members if changed & (_closure([name], old) | _closure([name], new))}


def _packages(lock: Lock) -> dict[str, list[Mapping[str, object]]]:
    """Every distribution with its entries: one for each version that some platform gets."""
    found: dict[str, list[Mapping[str, object]]] = {}
    listed = lock.get("package", [])
    for entry in listed if isinstance(listed, list) else []:
        found.setdefault(str(entry["name"]), []).append(entry)
    return found


def _is_member(entries: Iterable[Mapping[str, object]]) -> bool:
    sources = [entry.get("source") for entry in entries]
    return any(isinstance(source, dict) and {"editable", "virtual"} & source.keys() for source in sources)


def _tools(lock: Lock, packages: Mapping[str, list[Mapping[str, object]]]) -> set[str]:
    """What the workspace's own groups bring, beside its members: every test runs on it."""
    manifest = lock.get("manifest")
    groups = manifest.get("dependency-groups", {}) if isinstance(manifest, dict) else {}
    named = {str(item["name"]) for lines in groups.values() for item in lines}
    return _closure([name for name in named if not _is_member(packages.get(name, []))], packages)


def _closure(names: Iterable[str], packages: Mapping[str, list[Mapping[str, object]]]) -> set[str]:
    """The distributions and everything that they ask for, whatever the extra, the group or the platform."""
    waiting, found = list(names), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [asked for entry in packages.get(name, []) for asked in _asked(entry)]
    return found


def _asked(entry: Mapping[str, object]) -> list[str]:
    lists: list[object] = [entry.get("dependencies")]
    for part in (entry.get("optional-dependencies"), entry.get("dev-dependencies")):
        lists += part.values() if isinstance(part, dict) else ()
    return [str(item["name"]) for lines in lists if isinstance(lines, list) for item in lines]
