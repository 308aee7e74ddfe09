"""Dockerfile and compose file, without an engine: no root, nothing privileged, no socket, every variable described."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

DOCKER = Path(__file__).resolve().parents[1] / "docker"


def compose() -> dict[str, Any]:  # Any: YAML
    """The compose file."""
    found: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())  # Any: YAML
    return found


def test_the_image_runs_without_rights_and_is_built_without_a_network() -> None:
    """A numbered user, a stop signal, a health check; packages by hash and from the context only."""
    text = (DOCKER / "Dockerfile").read_text()
    final = text.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE)
    assert "STOPSIGNAL SIGTERM" in final
    assert "HEALTHCHECK" in final
    installs = re.findall(r"pip install .*", text)
    assert len(installs) == 2
    assert all("--no-index" in line and "--require-hashes" in line for line in installs)
    assert not re.search(r"\b(curl|wget|apt-get|apk|gcc|git)\b", text)


@pytest.mark.parametrize("service", sorted(compose()["services"]))
def test_no_container_has_more_than_it_needs(service: str) -> None:
    """Read-only root, no capabilities, no new privileges, a user with a number, limits; never privileged."""
    found = compose()["services"][service]
    assert (found["read_only"], found["cap_drop"]) == (True, ["ALL"])
    assert "no-new-privileges:true" in found["security_opt"]
    assert found["mem_limit"]
    assert found["pids_limit"]
    assert "privileged" not in found
    assert re.search(r"\d", found["user"])
    assert "docker.sock" not in json.dumps(found)
    assert all(port.startswith("127.0.0.1:") for port in found.get("ports", []))
    more = [option for option in found["security_opt"] if not option.startswith("no-new")]
    assert (service == "worker") == bool(more)


def test_every_image_and_setting_is_a_described_variable() -> None:
    """What the compose file asks for is in the example with the same default, and nothing else is."""
    used = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", (DOCKER / "compose.yaml").read_text()))
    lines = (DOCKER / "compose.env.example").read_text().splitlines()
    described = dict(line.removeprefix("# ").split("=", 1) for line in lines if re.match(r"# [A-Z_]+=", line))
    assert described == used
    assert all(found["image"].startswith("${") for found in compose()["services"].values())


def test_secrets_are_files() -> None:
    """No value of a secret stands in an environment of the compose file."""
    text = (DOCKER / "compose.yaml").read_text()
    assert {name: set(entry) for name, entry in compose()["secrets"].items()} == {
        name: {"file"} for name in ("FSP_DATABASE_URL", "FSP_SECRET_KEY", "IDENTITY_SECRET_KEY", "POSTGRES_PASSWORD")
    }
    assert not re.search(r"(PASSWORD|SECRET_KEY): (?!/run/secrets|\{ file)", text)


def test_the_workers_profile_is_readable_and_denies_the_dangerous() -> None:
    """Namespaces are allowed there; loading modules, tracing and keys are not."""
    profile = json.loads((DOCKER / "worker-seccomp.json").read_text())
    denied = {name for rule in profile["syscalls"] for name in rule["names"]}
    assert {"bpf", "init_module", "kexec_load", "keyctl", "ptrace", "perf_event_open"} <= denied
    assert not {"clone", "unshare", "mount", "pivot_root"} & denied
