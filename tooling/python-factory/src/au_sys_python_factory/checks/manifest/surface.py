"""What a release promised is kept, or its change is announced."""

from collections.abc import Iterator
from pathlib import Path

from au_sys_python_factory.checks.reading.project import MemberFiles
from au_sys_python_factory.checks.rule import Hit, Rule

_BREAKING = ".breaking.md"


def unannounced(member: MemberFiles) -> Iterator[Hit]:
    """Doors that differ from those of the release with the present version, without a fragment that says so."""
    here = member.member
    tag = f"{here.dist}/v{here.version}"
    if here.source is None or tag not in tags(here.root):
        return
    from au_sys_python_factory.wheels.release.planning.surface import differences

    fragments = [path.name for path in (here.path / "changes").glob("*.md")]
    found = differences(here.root, tag, here.path)
    door = here.source / "__init__.py"
    if found.breaks and not any(name.endswith(_BREAKING) for name in fragments):
        yield Hit(1, 1, f"{found.breaks[0]}: no fragment changes/*{_BREAKING} says so", door)
    elif found.additions and not fragments:
        yield Hit(1, 1, f"{found.additions[0]} is new, and no fragment in changes/ says so", door)


def tags(root: Path) -> set[str]:
    """The names of all tags, read from the files of git; empty outside of a repository."""
    folder = root / ".git"
    if folder.is_file():  # a second working tree: its tags are those of the first
        told = folder.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
        folder = (root / told).parent.parent
    loose = folder / "refs" / "tags"
    found = (
        {path.relative_to(loose).as_posix() for path in loose.rglob("*") if path.is_file()} if loose.is_dir() else set()
    )
    packed = folder / "packed-refs"
    lines = packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else []
    return found | {line.split(" refs/tags/")[1] for line in lines if " refs/tags/" in line}


M09 = Rule(
    "M09",
    "The public interface changed without a word",
    "Whoever upgrades learns it from a traceback.",
    "write changes/<slug>.added.md or changes/<slug>.breaking.md; a breaking one raises the major version.",
    "a name of the last release that the door no longer offers\n",
    "the same with a fragment changes/name-gone.breaking.md\n",
    member_check=unannounced,
)

RULES = (M09,)
