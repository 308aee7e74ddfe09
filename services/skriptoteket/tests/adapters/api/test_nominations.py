"""Nominations over HTTP: as JSON and as a page."""

from httpx import AsyncClient

PATH = "/api/v1/admin/nominations"
PAGE = {"accept": "text/html"}
BOB = {"authorization": "Bearer bob"}
NOOR = "urn:fsp:person:noor"


async def test_one_nominates_and_another_decides(client: AsyncClient) -> None:
    """Filed by Anna, decided by Bob; where nobody administers roles the right waits."""
    filed = await client.post(PATH, json={"subject": NOOR, "rationale": "Knows the work."})
    assert (filed.status_code, filed.json()["status"]) == (201, "pending")
    at = f"{PATH}/{filed.json()['id']}"
    again = await client.post(PATH, json={"subject": NOOR, "rationale": "Twice."})
    assert (again.status_code, again.json()["reason"]) == (409, "duplicate")
    own = await client.post(f"{at}/decide", json={"verdict": "approve", "rationale": "Mine."})
    assert own.status_code == 403
    decided = await client.post(f"{at}/decide", json={"verdict": "approve", "rationale": "Yes."}, headers=BOB)
    assert (decided.status_code, decided.json()["status"]) == (200, "approved")
    assert decided.json()["decision"]["grant_state"] in ("pending", "granted")
    late = await client.post(f"{at}/withdraw")
    assert (late.status_code, late.json()["reason"]) == (409, "already_decided")
    assert [filed.json()["id"]] == [each["id"] for each in (await client.get(PATH)).json()]


async def test_what_is_wrong_is_told(client: AsyncClient) -> None:
    """No reason, an unknown nomination, oneself, a revocation of oneself."""
    assert (await client.post(PATH, json={"subject": NOOR, "rationale": " "})).status_code == 422
    assert (await client.post(PATH, json={"subject": "urn:fsp:person:anna", "rationale": "Me."})).status_code == 422
    verdict = {"verdict": "approve", "rationale": "Yes."}
    assert (await client.post(f"{PATH}/nothing/decide", json=verdict)).status_code == 404
    itself = await client.post("/api/v1/admin/revocations", json={"subject": "urn:fsp:person:anna", "rationale": "X."})
    assert itself.status_code == 403
    taken = await client.post("/api/v1/admin/revocations", json={"subject": NOOR, "rationale": "Left."})
    assert (taken.status_code, taken.json()["kind"]) == (201, "revoke")


async def test_the_page_files_decides_and_withdraws(client: AsyncClient) -> None:
    """A wrong form comes back with what was typed; names and reasons are escaped."""
    wrong = await client.post("/admin/nominations", data={"subject": NOOR, "rationale": ""}, headers=PAGE)
    assert (wrong.status_code, f'value="{NOOR}"' in wrong.text) == (422, True)
    right = {"subject": NOOR, "rationale": "<b>Good</b>", "act": "nominate"}
    assert (await client.post("/admin/nominations", data=right, headers=PAGE)).status_code == 303
    page = (await client.get("/admin/nominations", headers=PAGE)).text
    assert "&lt;b&gt;Good&lt;/b&gt;" in page
    at = page.split('action="/admin/nominations/')[1].split("/")[0]
    assert (await client.post(f"/admin/nominations/{at}/withdraw", headers=PAGE)).status_code == 303
    late = await client.post(
        f"/admin/nominations/{at}/decide", data={"verdict": "deny", "rationale": "No."}, headers={**PAGE, **BOB}
    )
    assert (late.status_code, "withdrawn already" in late.text) == (409, True)
