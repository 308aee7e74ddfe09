"""Whatever fits or breaks the OpenAPI document gets an answer that the document names, and never a 5xx.

``FSP_FUZZ_EXAMPLES`` is the number of made-up requests per operation; the proof recipe asks for many.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.attacks.running_platform import COMMANDS, RunningPlatform, running_platform

EXAMPLES = int(os.environ.get("FSP_FUZZ_EXAMPLES", "2"))
FEW = 10
"""Below, it is the suite that asks, not the proof."""
_ENDS_THE_SESSION = (
    "logout",
    "delete_me",
    "end_session",
    "end_other_sessions",
    "end_user_sessions",
    "revoke_token",
    "step_up",
)
_CHECKS = "no_fault,status_code_conformance,content_type_conformance"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    with running_platform(
        tmp_path_factory.mktemp("fuzzed") / "platform", IDENTITY_STEP_UP_MAX_AGE="3600", IDENTITY_ACCESS_TTL="3600"
    ) as running:
        yield running


@pytest.fixture(scope="module")
def document(platform: RunningPlatform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with platform.client() as client:
        written = tmp_path_factory.mktemp("document") / "openapi.json"
        written.write_text(json.dumps(client.get("/openapi.json").json()))
    return written


def fuzz(platform: RunningPlatform, document: Path, *arguments: str, phases: str = "coverage,fuzzing") -> str:
    """The report of a run without findings."""
    command = [
        str(COMMANDS / "schemathesis"), "run", str(document), "--url", platform.url, "--checks", _CHECKS,
        "--phases", phases, "--max-examples", str(EXAMPLES), "--generation-deterministic",
        "--suppress-health-check", "all", "--continue-on-failure", "--no-color", *arguments,
    ]  # fmt: skip
    hooks = {**os.environ, "SCHEMATHESIS_HOOKS": str(Path(__file__).with_name("serializers.py"))}
    run = subprocess.run(
        command, cwd=document.parent, env=hooks, capture_output=True, text=True, check=False, timeout=3600
    )
    findings = run.stdout.partition("= FAILURES =")[2].partition("= WARNINGS =")[0] or run.stdout
    assert run.returncode == 0, findings[:20000]
    return run.stdout


def test_an_administrator_finds_no_server_error(platform: RunningPlatform, document: Path) -> None:
    """Every operation but those that end the session which the test itself uses."""
    bearer = platform.tokens()["access_token"]
    spared = [part for name in _ENDS_THE_SESSION for part in ("--exclude-operation-id", name)]
    report = fuzz(platform, document, "--header", f"Authorization: Bearer {bearer}", *spared)
    assert "generated" in report
    assert '"status":200' in platform.output


def test_a_stranger_finds_no_server_error(platform: RunningPlatform, document: Path) -> None:
    """Every operation, without a credential: what is not public answers 401 or 403, or refuses earlier.

    It is asked before anything is read, so one phase is enough; the proof takes both.
    """
    phases = "fuzzing" if EXAMPLES < FEW else "coverage,fuzzing"
    assert "generated" in fuzz(platform, document, phases=phases)
