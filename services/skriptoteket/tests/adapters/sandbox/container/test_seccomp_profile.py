"""The engine's profile allows what the shipped filter allows, and nothing that an engine's own default would add."""

import json

import pytest

from skriptoteket.adapters.sandbox.container.seccomp_profile import seccomp_profile
from skriptoteket.adapters.sandbox.host.seccomp import read_policy

_PROFILE = json.loads(seccomp_profile("x86_64", read_policy()))


def _allowed(name: str, *arguments: int) -> bool:
    for rule in _PROFILE["syscalls"]:
        if name in rule["names"] and rule["action"] == "SCMP_ACT_ALLOW":
            wanted = rule.get("args", ())
            if all(arguments[one["index"]] & one["value"] == one["valueTwo"] for one in wanted):
                return True
    return False


@pytest.mark.parametrize("call", ["io_uring_setup", "ptrace", "memfd_create", "unshare", "mount", "keyctl", "clone3"])
def test_what_is_not_listed_is_refused(call: str) -> None:
    """What Docker's default profile allows and our list does not is not there."""
    assert not _allowed(call)
    assert _PROFILE["defaultAction"] == "SCMP_ACT_ERRNO"


def test_the_native_calls_are_the_only_ones() -> None:
    """Another ABI of the same machine is no part of the profile."""
    assert [one["subArchitectures"] for one in _PROFILE["archMap"]] == [[]]


def test_arguments_decide_as_in_the_filter() -> None:
    """Threads but no namespaces, local sockets but no others, no terminal injection whatever the high bits are."""
    assert _allowed("clone", 0x3D0F00)
    assert not _allowed("clone", 0x10000000)
    assert _allowed("socket", 1)
    assert not _allowed("socket", 2)
    assert _allowed("ioctl", 0, 0x5401)
    assert [_allowed("ioctl", 0, number) for number in (0x5412, 0x541C, 0x100005412)] == [False] * 3
    assert [_allowed("prctl", number) for number in (1, 22, 35, 1 << 32 | 22)] == [False] * 4
    assert [_allowed("prctl", number) for number in (0, 2, 4, 15, 38)] == [True] * 5


def test_an_unknown_machine_gets_nothing() -> None:
    """For a machine without a column no call is allowed."""
    assert all(not rule["names"] or rule["names"] == ["clone3"] for rule in json.loads(seccomp_profile("s390x", read_policy()))["syscalls"])  # fmt: skip  # noqa: E501
