"""What a run says: a table per stage, JUnit, and JSON with every call; secrets are masked in all of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree

from au_sys_python_factory.gauntlet.coverage import Coverage
from au_sys_python_factory.gauntlet.playing import Outcome

MASK = "***"
_SECRET_FIELDS = re.compile(r'("[a-z_]*(?:token|password|secret|cookie)[a-z_]*"\s*:\s*")[^"]*(")', re.IGNORECASE)
_TOKENS = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*")
_SIGNS = {"passed": "ok", "failed": "FAIL", "skipped": "skip"}


@dataclass(frozen=True, slots=True)
class Report:
    """All outcomes in their order."""

    base_url: str
    outcomes: tuple[Outcome, ...]
    seconds: float
    secrets: tuple[str, ...] = ()
    coverage: Coverage | None = None
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """What did not come out as expected, and what was skipped because of it."""
        return tuple(outcome for outcome in self.outcomes if outcome.verdict != "passed")

    def count(self, verdict: str) -> int:
        """How many."""
        return sum(outcome.verdict == verdict for outcome in self.outcomes)

    def masked(self, text: str) -> str:
        """Without anything secret."""
        for secret in self.secrets:
            if secret:
                text = text.replace(secret, MASK)
        return _TOKENS.sub(MASK, _SECRET_FIELDS.sub(rf"\1{MASK}\2", text))


def stage_table(stage: str, outcomes: Sequence[Outcome], report: Report) -> str:
    """One stage for people: every step, and below a failed one why."""
    lines = [f"{stage}"]
    for outcome in outcomes:
        sign, milliseconds = _SIGNS[outcome.verdict], f"{outcome.seconds * 1000:.0f} ms"
        lines.append(f"  {sign:<5}{outcome.row.label:<72} {milliseconds:>9}".rstrip())
        if outcome.verdict != "passed":
            lines += [f"         {report.masked(reason)}" for reason in outcome.reasons]
        if outcome.verdict == "failed" and outcome.body:
            lines.append(f"         {outcome.method} {outcome.path} -> {report.masked(outcome.body)[:300]}")
    return "\n".join(lines)


def by_stage(outcomes: Iterable[Outcome]) -> list[tuple[str, list[Outcome]]]:
    """Neighbours of one stage together."""

    def stage(outcome: Outcome) -> str:
        return "cleaning up" if outcome.row.cleanup else outcome.row.stage

    return [(name, list(group)) for name, group in groupby(outcomes, key=stage)]


def summary(report: Report) -> str:
    """The closing lines."""
    lines = [*report.notes]
    if report.coverage is not None:
        lines.append(f"coverage: {report.coverage.sentence}")
    counts = ", ".join(f"{report.count(verdict)} {verdict}" for verdict in _SIGNS if report.count(verdict))
    lines.append(f"gauntlet: {counts or 'no steps'} in {report.seconds:.1f} s against {report.base_url}")
    return "\n".join(lines)


def write_json(report: Report, path: Path) -> None:
    """``gauntlet.json``: expected and actual of every call."""
    document = {
        "base_url": report.base_url,
        "seconds": round(report.seconds, 3),
        "passed": report.count("passed"),
        "failed": report.count("failed"),
        "skipped": report.count("skipped"),
        "steps": [_as_json(outcome, report) for outcome in report.outcomes],
        "never_succeeded": [str(item) for item in report.coverage.never_succeeded] if report.coverage else [],
        "never_refused": [str(item) for item in report.coverage.never_refused] if report.coverage else [],
    }
    path.write_text(report.masked(json.dumps(document, indent=2, ensure_ascii=False, default=str)) + "\n", "utf-8")


def write_junit(report: Report, path: Path) -> None:
    """JUnit, a suite per stage."""
    root = ElementTree.Element("testsuites", name="gauntlet", time=f"{report.seconds:.3f}")
    for stage, outcomes in by_stage(report.outcomes):
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=stage,
            tests=str(len(outcomes)),
            failures=str(sum(outcome.verdict == "failed" for outcome in outcomes)),
            skipped=str(sum(outcome.verdict == "skipped" for outcome in outcomes)),
        )
        for outcome in outcomes:
            case = ElementTree.SubElement(
                suite, "testcase", classname=outcome.row.owner, name=outcome.row.name, time=f"{outcome.seconds:.3f}"
            )
            if outcome.verdict != "passed":
                kind = "failure" if outcome.verdict == "failed" else "skipped"
                ElementTree.SubElement(case, kind, message=_xml(report.masked("; ".join(outcome.reasons))))
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _as_json(outcome: Outcome, report: Report) -> dict[str, object]:
    return {
        "stage": outcome.row.stage,
        "owner": outcome.row.owner,
        "name": outcome.row.name,
        "as": outcome.row.who,
        "verdict": outcome.verdict,
        "reasons": [report.masked(reason) for reason in outcome.reasons],
        "seconds": round(outcome.seconds, 4),
        "request": f"{outcome.method or outcome.row.method} {outcome.path or outcome.row.path}",
        "expected": outcome.expected,
        "status": outcome.status,
        "body": report.masked(outcome.body),
    }


def _xml(text: str) -> str:
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd]", "?", text)
