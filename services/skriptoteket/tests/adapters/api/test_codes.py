"""Every problem of the JSON API has a code, also those that the platform tells before a verb is reached."""

from httpx import AsyncClient, Response

TOOLS, RUNS = "/api/v1/admin/tools", "/api/v1/runs"


def told(answer: Response) -> tuple[int, str]:
    """Status and code."""
    return answer.status_code, answer.json()["code"]


async def test_what_the_platform_tells(client: AsyncClient) -> None:
    """Nobody, no proof, wrong method, wrong kind of body, no JSON, and fields that do not fit: field, code, message."""
    assert told(await client.get(RUNS, headers={"authorization": ""})) == (401, "UNAUTHENTICATED")
    cross = {"authorization": "", "cookie": "session=x", "sec-fetch-site": "cross-site"}
    assert told(await client.post(TOOLS, json={}, headers=cross)) == (403, "CSRF_FAILED")
    assert told(await client.put(RUNS)) == (405, "METHOD_NOT_ALLOWED")
    assert told(await client.post(TOOLS, content=b"x", headers={"content-type": "text/plain"})) == (
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    )
    assert told(await client.post(TOOLS, content=b"{x", headers={"content-type": "application/json"})) == (
        400,
        "MALFORMED_REQUEST",
    )
    assert told(await client.post(TOOLS, content=b"{}", headers={"content-length": "9" * 12})) == (
        413,
        "PAYLOAD_TOO_LARGE",
    )
    wrong = await client.post(TOOLS, json={"nope": 1})
    assert told(wrong) == (422, "VALIDATION_ERROR")
    assert {"field", "code", "message"} <= wrong.json()["errors"][0].keys()


async def test_kinds_of_answer(client: AsyncClient) -> None:
    """JSON is refused to whoever takes none, with what there is; wildcards, lists and no word at all are fine."""
    for accept in ("text/csv", "text/html;q=0.9, image/*", "application/json;q=0", "*/*; q=0.0"):
        refused = await client.get(RUNS, headers={"accept": accept})
        assert refused.status_code == 406, accept
        if "html" not in accept:
            assert (refused.json()["code"], refused.json()["offered"]) == ("NOT_ACCEPTABLE", "application/json")
    for accept in ("*/*", "application/*", "text/csv, application/json; q=0.1", "APPLICATION/JSON", ""):
        assert (await client.get(RUNS, headers={"accept": accept})).status_code == 200, accept
