"""A plan for people and for programs."""

from __future__ import annotations

from typing import Any

from au_sys_python_factory.wheels.columns import table
from au_sys_python_factory.wheels.release.planning.plan import Plan

HEADS = ("order", "distribution", "from", "to", "because")


def as_text(plan: Plan) -> str:
    """A table, what stays as it is, and what stops it."""
    rows = [
        (str(number), release.name, release.before or "-", release.version, "; ".join(release.reasons))
        for number, release in enumerate(plan.releases, 1)
    ]
    parts = [table(HEADS, rows)] if rows else ["nothing to release"]
    parts += [
        f"{release.name}: {item.before} -> {item.after} ({item.why})"
        for release in plan.releases
        for item in release.rewrites
    ]
    if plan.untouched:
        parts.append(f"untouched: {', '.join(plan.untouched)}")
    parts += [f"STOP {problem.sentence}" for problem in plan.problems]
    return "\n".join(parts)


def as_data(plan: Plan) -> dict[str, Any]:  # Any: JSON
    """For ``--json``."""
    return {
        "releases": [
            {
                "name": release.name,
                "before": release.before or None,
                "version": release.version,
                "tag": release.tag,
                "reasons": list(release.reasons),
                "fragments": [fragment.path.name for fragment in release.fragments],
                "bounds": [{"before": item.before, "after": item.after} for item in release.rewrites],
            }
            for release in plan.releases
        ],
        "untouched": list(plan.untouched),
        "problems": [{"where": item.where, "what": item.what, "fix": item.fix} for item in plan.problems],
    }
