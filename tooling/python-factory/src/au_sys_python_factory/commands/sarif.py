"""Findings as SARIF 2.1.0, which code hosts show beside the lines."""

import json
from collections.abc import Iterable
from pathlib import Path

from au_sys_python_factory import __version__
from au_sys_python_factory.checks.rule import Finding, Rule
from au_sys_python_factory.errors import Refused

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def document(findings: Iterable[Finding], rules: Iterable[Rule]) -> dict[str, object]:
    """One run of the factory: its rules, and a result for each finding."""
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "python-factory",
                        "version": __version__,
                        "rules": [_rule(rule) for rule in rules],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {"ROOT": {"description": {"text": "The root of the workspace."}}},
                "results": [_result(finding) for finding in findings],
            }
        ],
    }


def _rule(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.fix},
        "defaultConfiguration": {"level": rule.severity},
    }


def _result(finding: Finding) -> dict[str, object]:
    place = {
        "artifactLocation": {"uri": finding.path, "uriBaseId": "ROOT"},
        "region": {"startLine": max(finding.line, 1), "startColumn": max(finding.column, 1)},
    }
    return {
        "ruleId": finding.rule,
        "level": finding.severity,
        "message": {"text": f"{finding.message}. {finding.fix}"},
        "locations": [{"physicalLocation": place}],
    }


def write(path: Path, findings: Iterable[Finding], rules: Iterable[Rule]) -> None:
    """Write the document to a file.

    Raises:
        Refused: the file cannot be written.
    """
    try:
        path.write_text(json.dumps(document(findings, rules), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise Refused(
            f"cannot be written: {error.strerror}.", where=str(path), fix="name a file in a folder that exists."
        ) from None
