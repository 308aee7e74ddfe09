"""The whole plan: which members get which version, why, in which order, and what has to be written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from au_sys_python_factory.wheels.members import Workspace
from au_sys_python_factory.wheels.release.planning.bumps import next_major, next_version
from au_sys_python_factory.wheels.release.planning.fragments import Fragment, Problem
from au_sys_python_factory.wheels.release.planning.history import tag_of
from au_sys_python_factory.wheels.release.planning.members import Bound, Standing, standing


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A dependency line that the release changes."""

    before: str
    after: str
    why: str


@dataclass(frozen=True, slots=True)
class Release:
    """One member's new version."""

    name: str
    folder: str
    before: str
    version: str
    reasons: tuple[str, ...]
    fragments: tuple[Fragment, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()

    @property
    def tag(self) -> str:
        """Its tag."""
        return tag_of(self.name, self.version)


@dataclass(frozen=True, slots=True)
class Plan:
    """Releases, dependencies before those that need them; with problems nothing may be applied."""

    releases: tuple[Release, ...]
    untouched: tuple[str, ...]
    problems: tuple[Problem, ...] = field(default=())


def make_plan(workspace: Workspace) -> Plan:
    """Read the workspace and its history. Writes nothing, and asks nobody else."""
    names = frozenset(member.name for member in workspace.members)
    standings = {member.name: standing(workspace.root, member, names) for member in workspace.members}
    releases: dict[str, Release] = {
        name: _own_release(workspace.root, one) for name, one in standings.items() if one.due
    }
    _follow(workspace.root, standings, releases)
    problems = [problem for one in standings.values() for problem in one.problems]
    problems += _waiting_in_vain(workspace.root, standings, releases)
    order = in_order({name: [bound.sibling for bound in one.bounds] for name, one in standings.items()})
    return Plan(
        tuple(releases[name] for name in order if name in releases),
        tuple(name for name in order if name not in releases),
        tuple(sorted(problems, key=lambda problem: problem.where)),
    )


def in_order(needs: Mapping[str, list[str]]) -> list[str]:
    """Names, those that are needed before those that need them; otherwise by name."""
    done: list[str] = []

    def visit(name: str, above: tuple[str, ...]) -> None:
        for needed in sorted(needs.get(name, [])):
            if needed in needs and needed not in above and needed not in done:
                visit(needed, (*above, name))
        if name not in done:
            done.append(name)

    for name in sorted(needs):
        visit(name, ())
    return done


def _own_release(root: Path, one: Standing) -> Release:
    folder = one.member.folder.relative_to(root).as_posix()
    if one.last is None:
        return Release(one.member.name, folder, "", one.member.version, ("first release",), one.fragments)
    reasons = [f"{sum(item.kind == kind for item in one.fragments)} {kind}" for kind in _kinds(one)]
    reasons += [f"breaks: {text}" for text in one.difference.breaks]
    reasons += [f"offers {len(one.difference.additions)} new names"] if one.difference.additions else []
    version = str(next_version(one.last, one.level))
    return Release(one.member.name, folder, str(one.last), version, tuple(reasons), one.fragments)


def _kinds(one: Standing) -> list[str]:
    return list(dict.fromkeys(fragment.kind for fragment in one.fragments))


def _follow(root: Path, standings: Mapping[str, Standing], releases: dict[str, Release]) -> None:
    """Fill in floors, raise the ones of a bill of materials, and widen bounds that exclude what is released."""
    settled = False
    while not settled:
        settled = True
        for name, one in standings.items():
            rewrites = _rewrites(one, releases)
            known = releases[name].rewrites if name in releases else ()
            if rewrites == known:
                continue
            settled = False
            if name not in releases:
                version = str(next_version(one.last or Version(one.member.version), "patch"))
                folder = one.member.folder.relative_to(root).as_posix()
                releases[name] = Release(name, folder, str(one.last), version, (), one.fragments)
            reasons = [reason for reason in releases[name].reasons if reason not in {item.why for item in known}]
            whys = tuple(dict.fromkeys(item.why for item in rewrites))
            releases[name] = replace(releases[name], rewrites=rewrites, reasons=(*reasons, *whys))


def _rewrites(one: Standing, releases: Mapping[str, Release]) -> tuple[Rewrite, ...]:
    found = []
    for bound in one.bounds:
        release = releases.get(bound.sibling)
        if release is None:
            continue
        version = Version(release.version)
        after, why = bound.text, ""
        if bound.waits:
            after, why = _with_floor(bound, version), f"needs {release.name} {version}"
        elif one.member.folder.parent.name == "platforms" and one.member.name in releases and release.before:
            after, why = _with_floor(bound, version), f"is made of {release.name} {version}"
        if not Requirement(after).specifier.contains(version, prereleases=True):
            after, why = _widened(after, version), f"accepts {release.name} {version}"
        if after != bound.text or bound.waits:
            found.append(Rewrite(bound.text, after, why))
    return tuple(found)


def _with_floor(bound: Bound, version: Version) -> str:
    return _written(bound.requirement, f">={version}", "<")


def _widened(line: str, version: Version) -> str:
    return _written(Requirement(line), ">=", f"<{next_major(version)}")


def _written(requirement: Requirement, lower: str, upper: str) -> str:
    """The line with another limit; ``>=`` or ``<`` alone keep what stands there."""
    limits = {item.operator: str(item) for item in requirement.specifier}
    low = lower if lower != ">=" else limits.get(">=", "")
    high = upper if upper != "<" else limits.get("<", "")
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    rest = [text for operator, text in sorted(limits.items()) if operator not in (">=", "<")]
    SpecifierSet(",".join(part for part in (low, high, *rest) if part))
    return f"{requirement.name}{extras}" + ",".join(part for part in (low, high, *rest) if part)


def _waiting_in_vain(root: Path, standings: Mapping[str, Standing], releases: Mapping[str, Release]) -> list[Problem]:
    return [
        Problem(
            (one.member.folder / "pyproject.toml").relative_to(root).as_posix(),
            f"waits for the next release of {bound.sibling}, which has nothing to release",
            f"remove the comment behind {bound.text}, or give {bound.sibling} its fragment",
        )
        for one in standings.values()
        for bound in one.bounds
        if bound.waits and bound.sibling not in releases
    ]
