"""A person, an agent that she answers for, and two levels of agents below it, the lowest with a key."""

from __future__ import annotations

import time
from uuid import uuid4

import httpx


def key_of_a_grandchild(admin: httpx.Client, person: str) -> dict[str, str]:
    """Make the agents; the key of the lowest reads people, as long as the person is active."""
    vendor = {"name": f"Acme {uuid4().hex}", "vendor": "Acme"}
    provider = admin.post("/iam/ai-providers", json=vendor).raise_for_status().json()["urn"]
    own = admin.get("/users/me").json()["urn"]
    parent = None
    for name, custodian in (("Top", person), ("Middle", own), ("Low", own)):
        body = {
            "name": name, "purpose": "x", "provider": provider, "model_spec": {"names": ["acme-1"]},
            "custodian": custodian, "parent": parent, "mfa": {"mode": "none"}, "cap": "none",
        }  # fmt: skip
        agent = admin.post("/iam/ai-agents", json=body).raise_for_status().json()["urn"]
        admin.post(f"/rbac/users/{agent}/roles", json={"role": "helpdesk"}).raise_for_status()
        if parent is not None:  # from now on only the person far above answers for it
            edge = {"source": own, "relation": "owner_of", "target": agent}
            admin.request("DELETE", "/iam/graph/link", json=edge).raise_for_status()
        parent = agent
    made = admin.post(f"/iam/ai-agents/{parent}/keys", json={"name": "Night", "scopes": ["identity.users.read"]})
    return {"x-api-key": made.raise_for_status().json()["secret"]}


def seconds_until(there: httpx.Client, status: int, *, patience: float = 30.0) -> float:
    """How long a node goes on giving another answer than the one that is waited for.

    Raises:
        TimeoutError: it never gives it.
    """
    began = time.monotonic()
    while (found := there.get("/users?limit=1").status_code) != status:
        if time.monotonic() - began > patience:
            raise TimeoutError(f"{found} instead of {status}")
    return time.monotonic() - began
