"""Acts of governance stand in the platform's audit trail, with who did what to what, why, and in which request."""

from typing import Any

from httpx import AsyncClient

from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork

BOB = {"authorization": "Bearer bob"}
IDEA: dict[str, Any] = {
    "title": "Counter", "description": "Counts.", "professions": ["larare"], "categories": ["ovrigt"]
}  # fmt: skip


async def test_governance_is_audited(client: AsyncClient, library: SqlUnitOfWork) -> None:
    """From the decision on an idea to the roll-back: each act once, in order, with its actor and its reason."""

    async def done(method: str, path: str, status: int = 200, **body: Any) -> Any:  # Any: JSON
        answer = await client.request(method, f"/api/v1{path}", json=body or None)
        assert status == answer.status_code, answer.text
        return answer.json() if answer.content else None

    idea = await done("POST", "/suggestions", 201, **IDEA)
    verdict: dict[str, Any] = {"verdict": "accept", "rationale": "Good idea."}
    tool = (await done("POST", f"/admin/suggestions/{idea['id']}/decide", **verdict))["draft_tool_id"]
    await done("PATCH", f"/admin/tools/{tool}", slug="counter")
    versions = []
    for source in ("x = 1\n", "x = 2\n"):
        draft = await done("POST", f"/tools/{tool}/versions", 201, source_code=source)
        await done("POST", f"/tool-versions/{draft['id']}/submit-review", note="")
        seen = {"rationale": "Fine.", "expected_behaviour_hash": draft["behaviour_hash"], "show": True}
        made = await done("POST", f"/tool-versions/{draft['id']}/publish", 201, **seen)
        versions.append((made["new_active_version_id"], draft["behaviour_hash"]))
    first, behaviour = versions[0]
    back = {"rationale": "It loses rows.", "expected_behaviour_hash": behaviour}
    await done("POST", f"/tool-versions/{first}/rollback", 201, **back)
    await done("POST", f"/admin/tools/{tool}/hide")
    kept = (await client.get("/platform/api/v1/audit", params={"limit": 100})).json()
    entries = [each for each in kept["entries"] if each["action"].startswith("skriptoteket.")]
    found = sorted(entries, key=lambda each: each["sequence"])
    assert [each["action"].removeprefix("skriptoteket.") for each in found] == [
        "suggestion.decided", "tool.edited", "version.submitted", "version.published", "version.submitted",
        "version.published", "version.rolled_back", "tool.hidden",
    ]  # fmt: skip
    assert {each["actor"] for each in found} == {"urn:fsp:person:anna"}
    assert all(each["correlation_id"] for each in found)
    reasons = {each["action"]: each["reason"] for each in found}
    assert reasons["skriptoteket.version.rolled_back"] == "It loses rows."
    assert reasons["skriptoteket.suggestion.decided"] == "Good idea."
