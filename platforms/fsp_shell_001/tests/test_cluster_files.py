"""The Kubernetes manifests by the published schemas, offline, and by what a team must be able to rely on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # ships no types
import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[1] / "kubernetes"
VERSIONS = ("1.30", kubernetes_validate.latest_version())


def kustomization() -> dict[str, Any]:  # Any: YAML
    """What is applied."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())  # Any: YAML
    return found


def documents() -> list[dict[str, Any]]:  # Any: YAML
    """Every object that the kustomization names."""
    return [
        document
        for name in kustomization()["resources"]
        for document in yaml.safe_load_all((FOLDER / name).read_text())
        if document
    ]


def pods() -> list[tuple[str, dict[str, Any]]]:  # Any: YAML
    """Name and pod template of each workload."""
    return [
        (document["metadata"]["name"], document["spec"]["template"])
        for document in documents()
        if "template" in document.get("spec", {})
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid(version: str) -> None:
    """By the schema of each version, and no field is unknown."""
    for document in documents():
        kubernetes_validate.validate(document, version, strict=True)


def test_every_file_is_named_and_nothing_is_missing() -> None:
    """A manifest that nobody applies is no manifest."""
    assert {path.name for path in FOLDER.glob("*.yaml")} == {"kustomization.yaml", *kustomization()["resources"]}
    kinds = [document["kind"] for document in documents()]
    assert {"Deployment", "Job", "Service", "PodDisruptionBudget", "NetworkPolicy", "ConfigMap"} <= set(kinds)


def test_no_pod_has_more_than_it_needs() -> None:
    """No root, no escalation, no capability, a read-only root, a memory limit, no token of the cluster."""
    for name, template in pods():
        spec = template["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert (spec["securityContext"]["runAsNonRoot"], spec["securityContext"]["runAsUser"]) == (True, 10001), name
        for container in spec["containers"]:
            context = dict(container["securityContext"])
            unmasked = context.pop("procMount", "Default") == "Unmasked"
            assert (unmasked, spec.get("hostUsers", True)) == (name == "fsp-worker", name != "fsp-worker"), name
            assert context == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert container["resources"]["limits"]["memory"], name


def test_rolling_updates_and_probes_lose_no_request() -> None:
    """No web pod goes before another is ready; it has longer than it drains; the budget leaves one spare."""
    web = next(document for document in documents() if document["metadata"]["name"] == "fsp-web")
    assert web["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    container = web["spec"]["template"]["spec"]["containers"][0]
    probes = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert probes == {
        "startupProbe": "/health/live",
        "readinessProbe": "/health/ready",
        "livenessProbe": "/health/live",
    }
    assert web["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] >= 30
    budget = next(item for item in documents() if item["kind"] == "PodDisruptionBudget")
    assert budget["spec"]["minAvailable"] < web["spec"]["replicas"]


def test_selectors_meet_labels() -> None:
    """Services, budgets and policies select pods that are there."""
    labels = [{**template["metadata"]["labels"], **kustomization()["labels"][0]["pairs"]} for _, template in pods()]
    for document in documents():
        spec = document.get("spec", {})
        selector = spec.get("podSelector", spec.get("selector", {}))
        wanted = selector.get("matchLabels", selector)
        assert any(wanted.items() <= found.items() for found in labels), document["metadata"]["name"]
    assert kustomization()["labels"][0]["includeTemplates"] is True


def test_a_worker_is_asked_for_its_own_beat() -> None:
    """Not whether a process has a name; and two workers on one volume do not meet in a folder."""
    worker = next(document for document in documents() if document["metadata"]["name"] == "fsp-worker")
    container = worker["spec"]["template"]["spec"]["containers"][0]
    assert container["livenessProbe"]["exec"]["command"][2:] == ["skriptoteket", "worker", "--alive"]
    folder = next(item["value"] for item in container["env"] if item["name"] == "SKRIPTOTEKET_STATE_DIR")
    assert [mount["name"] for mount in container["volumeMounts"] if folder.startswith(mount["mountPath"])] == ["tmp"]
    compose = yaml.safe_load((FOLDER.parent / "docker" / "compose.yaml").read_text())
    assert compose["services"]["worker"]["healthcheck"]["test"][1:] == container["livenessProbe"]["exec"]["command"]
