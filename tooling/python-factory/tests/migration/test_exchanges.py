"""What counts as another answer, and what was announced."""

import base64

import pytest

from au_sys_python_factory.migration.exchanges import Exchange, differences, played_rows


def exchange(status: int = 200, body: bytes = b'{"a": 1, "b": 2}', path: str = "/notes", **headers: str) -> Exchange:
    """One GET with its answer."""
    answered = {"content-type": "application/json", **headers}
    return Exchange("GET", path, {}, "", status, answered, base64.b64encode(body).decode())


def test_json_is_compared_by_value() -> None:
    """The order of keys does not count."""
    assert list(differences([exchange()], [exchange(body=b'{"b":2,"a":1}')], [], ["/notes"])) == []


@pytest.mark.parametrize(
    ("now", "what"),
    [
        (exchange(status=201), "status"),
        (exchange(body=b'{"a": 2}'), "body"),
        (exchange(etag='"x"'), "etag"),
        (exchange(location="/elsewhere"), "location"),
    ],
)
def test_another_answer_is_found(now: Exchange, what: str) -> None:
    """Status, body and the headers that clients act on."""
    found = list(differences([exchange()], [now], [], ["/notes"]))
    assert [(what, False)] == [(item.what, item.announced) for item in found]


def test_what_lies_beside_the_moved_paths_is_the_platforms() -> None:
    """A path that nobody has is answered by the platform, which is announced."""
    found = list(differences([exchange(404, path="/x")], [exchange(404, b"{}", path="/x")], [], ["/notes"]))
    assert [item.announced for item in found] == [True]


def test_times_and_ids_can_be_told_not_to_count() -> None:
    """A pattern stands for what differs each time."""
    one, other = exchange(body=b'{"at": "12:00"}'), exchange(body=b'{"at": "13:00"}')
    assert list(differences([one], [other], [r"\d\d:\d\d"], ["/notes"])) == []


def test_rows_play_what_changed_something_once_and_in_order() -> None:
    """Bodies as TOML; what needs other headers, what has no route and what is no JSON is left out."""
    body = {name: base64.b64encode(text.encode()).decode() for name, text in (("one", '{"a": [1, true]}'), ("no", "x"))}
    recorded = [
        Exchange("POST", "/notes", {"content-type": "application/json"}, body["one"], 201),
        Exchange("POST", "/notes", {}, body["one"], 409),
        Exchange("POST", "/notes", {}, body["no"], 400),
        Exchange("DELETE", "/notes/1", {"if-match": "1"}, "", 204),
        Exchange("PUT", "/notes", {}, "", 405),
        Exchange("GET", "/notes", {}, "", 200),
    ]
    assert played_rows(recorded) == [
        {"method": "GET", "path": "/notes", "status": 200, "json": ""},
        {"method": "POST", "path": "/notes", "status": 201, "json": '{ "a" = [1, true] }'},
    ]
