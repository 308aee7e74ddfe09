"""What is asked of an engine: no network, no capability, no new privileges, sizes; and what Podman adds is covered."""

from skriptoteket.adapters.sandbox.container.plan import ContainerPlan
from skriptoteket.core.runs.models import Limits


def host(*, podman: bool, runtime: str | None = None) -> dict[str, object]:
    """The part about the host of a script's container."""
    plan = ContainerPlan("image", "/usr/bin/python3", "{}", {}, runtime, "UTC", Limits(), podman)
    found = plan.script("volume", 61_000, "mark")["HostConfig"]
    assert isinstance(found, dict)
    return found


def test_a_container_has_nothing_that_it_does_not_need() -> None:
    """The same for every engine: read-only root, no network, no capability, memory without swap, no restart."""
    for podman in (False, True):
        asked = host(podman=podman)
        assert (asked["NetworkMode"], asked["ReadonlyRootfs"], asked["CapDrop"]) == ("none", True, ["ALL"])
        assert (asked["IpcMode"], asked["CgroupnsMode"]) == ("none", "private")
        assert asked["Memory"] == asked["MemorySwap"]
        assert str(asked["SecurityOpt"]).startswith("['no-new-privileges', 'seccomp={}'")


def test_what_podman_adds_is_masked() -> None:
    """Podman writes about its host into /etc and adds writable folders without a size; Docker is told nothing of it."""
    (masks,) = [one for one in host(podman=True)["SecurityOpt"] if one.startswith("mask=")]  # type: ignore[attr-defined]  # a list of texts

    assert {"/etc", "/sys", "/run", "/var/tmp", "/proc/kcore"} <= set(masks.removeprefix("mask=").split(":"))
    assert "mask=" not in str(host(podman=False))


def test_another_runtime_is_passed_on() -> None:
    """The engine is asked for the runtime that the settings name, and only then."""
    assert host(podman=False, runtime="runsc")["Runtime"] == "runsc"
    assert "Runtime" not in host(podman=False)
