"""The files that operators take: what scripts need is allowed, nothing is privileged, and each is part of the wheel."""

import configparser
import json
import re
from pathlib import Path

import pytest
import yaml

import skriptoteket

_FILES = Path(skriptoteket.__file__).parent / "adapters" / "sandbox" / "host" / "deployment"
_NEEDED = {"clone", "unshare", "setns", "mount", "umount2", "pivot_root", "move_mount", "fsopen", "fsconfig", "fsmount",
           "sethostname", "prctl", "seccomp"}  # fmt: skip
_DANGEROUS = {"bpf", "init_module", "finit_module", "kexec_load", "keyctl", "ptrace", "perf_event_open", "reboot",
              "swapon", "settimeofday", "process_vm_readv", "io_uring_setup", "open_by_handle_at"}  # fmt: skip


def test_the_worker_in_a_container_has_no_right() -> None:
    """No capability, no privilege, an ordinary user, a read-only root; the profile is the one that lies beside it."""
    worker = yaml.safe_load((_FILES / "worker.compose.yaml").read_text(encoding="utf-8"))["services"]["worker"]
    options = worker["security_opt"]

    assert (worker["cap_drop"], worker["read_only"], "privileged" in worker) == (["ALL"], True, False)
    assert {"no-new-privileges:true", "seccomp=./nested.json", "systempaths=unconfined"} < set(options)
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", worker["user"])
    assert worker["healthcheck"]["test"] == ["CMD", "skriptoteket", "worker", "--alive"]
    assert "docker.sock" not in json.dumps(worker)


def test_the_nested_profile_allows_namespaces_and_little_else() -> None:
    """What sandboxes are made with is allowed; modules, tracing, keys and clocks are not; foreign ABIs are killed."""
    profile = json.loads((_FILES / "nested.json").read_text(encoding="utf-8"))
    denied = {name for rule in profile["syscalls"] for name in rule["names"]}

    assert denied & _NEEDED == set()
    assert denied >= _DANGEROUS
    assert profile["architectures"] == ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"]


def test_the_unit_delegates_and_keeps_namespaces_possible() -> None:
    """systemd gives a control group of its own, and none of the options that forbid what scripts are isolated with."""
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # names of directives have capitals
    unit.read(_FILES / "skriptoteket-worker.service", encoding="utf-8")
    service = unit["Service"]

    assert (service["Delegate"], service["KillMode"], service["NoNewPrivileges"]) == ("yes", "mixed", "yes")
    assert int(service["TimeoutStopSec"]) > 60
    forbidden = {"RestrictNamespaces", "ProtectKernelTunables", "ProtectProc", "PrivateUsers", "SystemCallFilter"}
    assert set(service) & forbidden == set()


@pytest.mark.parametrize("profile", ["skriptoteket-worker", "skriptoteket-nested"])
def test_apparmor_lets_both_kinds_of_worker_make_namespaces(profile: str) -> None:
    """Each profile is whole and allows user namespaces; the one for containers refuses what Docker's refuses."""
    text = (_FILES / "apparmor.profile").read_text(encoding="utf-8")
    found = re.search(rf"^profile {profile} [^{{]*{{\n(.*?)^}}$", text, re.DOTALL | re.MULTILINE)

    assert found is not None
    rules = [line.strip() for line in found[1].splitlines() if line.strip()]
    assert [rule for rule in rules if not rule.startswith("include") and not rule.endswith(",")] == []
    assert "userns," in rules
    assert profile == "skriptoteket-worker" or {"mount,", "pivot_root,", "deny @{PROC}/kcore rwklx,"} <= set(rules)
