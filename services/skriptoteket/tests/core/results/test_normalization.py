"""Hostile output becomes harmless."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skriptoteket.core.results.blocks import sanitised
from skriptoteket.core.results.contract import MAX_PAYLOAD_BYTES, OutputFile
from skriptoteket.core.results.normalization import artifact_ids, normalize

FILES = [OutputFile("list.txt", 10), OutputFile("plot.svg", 10), OutputFile("Sub/List.TXT", 3)]


def answer(**parts: object) -> bytes:
    """A result.json with these parts."""
    return json.dumps({"contract": 1, "status": "ok", **parts}).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (None, "not written"),
        (b"", "no valid JSON"),
        (b"\xff\xfe\x00", "no valid JSON"),
        (b"[]", "no object"),
        (b'{"contract": 2, "status": "ok"}', "unknown contract"),
        (b'{"contract": true, "status": "ok"}', "unknown contract"),
        (b'{"contract": 1, "status": "fine"}', "unknown status"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"a":"' + b"x" * 3_000_000 + b'"}', "at most"),
        (b'{"contract": 1, "status": "ok", "next_actions": [{"action_id": "a"}, {"action_id": "a"}]}', "used twice"),
    ],
)
def test_what_cannot_be_read_is_told_to_the_author(raw: bytes | None, told: str) -> None:
    """Whatever bytes come, there is an answer; a broken one says what is wrong."""
    found = normalize(raw, [])
    assert found.status == "invalid"
    assert told in found.problem


@pytest.mark.parametrize(
    "payload",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)><circle/></svg>",
        "<a href='javascript:alert(1)'>x</a>",
        "<a href='JaVaScRiPt&#58;alert(1)'>x</a>",
        "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
        "<img src='data:image/svg+xml;base64,PHN2Zz4='>",
        "<img src='https://evil.example/pixel.png'>",
        "<iframe src='//evil.example'></iframe>",
        "<form action='/logout' method=post><button>x</button></form>",
        "<p style='position:fixed' class='alert' id='content' onclick='x()'>x</p>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
        "<meta http-equiv=refresh content='0;url=//evil.example'>",
        "<base href='//evil.example'><a href='/x'>x</a>",
    ],
)
def test_html_keeps_nothing_that_acts(payload: str) -> None:
    """Scripts, handlers, forms, frames, styles and foreign images are gone."""
    found = normalize(answer(outputs=[{"kind": "html", "html": payload}]), [])
    html = str(found.outputs[0]["html"]).lower()
    for bad in ("script", "onerror", "onload", "onclick", "javascript:", "data:text", "data:image/svg", "<form", "<iframe", "style", "class=", "id=", "<meta", "<base", "evil.example"):  # fmt: skip  # noqa: E501
        assert bad not in html


def test_kept_html() -> None:
    """Structure, outside links and embedded pictures stay."""
    source = '<h2>x</h2><table><tr><td colspan="2">1</td></tr></table><a href="https://example.org">y</a><img src="data:image/png;base64,AA==" alt="z">'  # noqa: E501
    html = str(normalize(answer(outputs=[{"kind": "html", "html": source}]), []).outputs[0]["html"])
    for kept in (
        "<h2>x</h2>",
        'colspan="2"',
        'href="https://example.org"',
        "noopener",
        "data:image/png;base64,AA==",
        'alt="z"',
    ):
        assert kept in html


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a<img>b", "ab"),
        ("a<img src='https://example.org/x.png' alt=x>b", "ab"),
        ("<img src='data:image/png;base64,AA=='>", '<img src="data:image/png;base64,AA==" alt="">'),
        ("<img alt='a<img>b' src='data:image/gif;base64,AA=='>", None),
        ("<a href='https://example.org/<img src='>1</a><img alt='><script>' src='data:image/gif;base64,AA=='>", None),
    ],
)
def test_images_are_whole(source: str, expected: str | None) -> None:
    """An image without a source is dropped, one without a text is decoration; cleaning twice is cleaning once."""
    clean = sanitised(source)
    assert expected is None or expected == clean
    assert sanitised(clean) == clean
    assert "<script" not in clean


def test_odd_values() -> None:
    """NaN, infinities, big integers, NUL, surrogates, control and bidi characters become something that can be kept."""
    raw = b'{"contract":1,"status":"ok","outputs":[{"kind":"table","columns":["a","b","c","d","e"],"rows":[[NaN,1e400,9007199254740993,"x\\u0000\\ud800\\u0007y","a\\u202eb"]]}]}'  # noqa: E501
    row = normalize(raw, []).outputs[0]["rows"]
    assert row == [[None, None, "9007199254740993", "x��y", "⁨ab⁩"]]


def test_caps_are_told() -> None:
    """Whatever is cut is named in a system notice."""
    columns = [f"c{number}" for number in range(50)]
    rows = [["x" * 2000] * 50 for _ in range(800)]
    found = normalize(answer(outputs=[{"kind": "table", "columns": columns, "rows": rows[:3]}, *[{"kind": "notice", "message": "n"}] * 60]), [])  # fmt: skip  # noqa: E501
    notices = " ".join(str(block["message"]) for block in found.outputs if block.get("system"))
    assert "50 columns" in notices
    assert "long cells" in notices
    assert "61 outputs" in notices


def test_payload_is_bounded_and_notices_stay() -> None:
    """A result that is too big loses outputs from the end, never notices."""
    big = [{"kind": "markdown", "markdown": "x" * 65_000}] * 12
    found = normalize(answer(outputs=[*big, {"kind": "notice", "message": "kept"}]), [])
    assert sum(len(json.dumps(block)) for block in found.outputs) < MAX_PAYLOAD_BYTES
    messages = [block["message"] for block in found.outputs if block["kind"] == "notice"]
    assert messages[0] == "kept"
    assert "too big" in str(messages[1])


def test_files_must_exist() -> None:
    """Announced files that are not there are dropped with a notice; plots need a text for those who cannot see them."""
    outputs = [
        {"kind": "file", "path": "list.txt"},
        {"kind": "file", "path": "../etc/passwd"},
        {"kind": "plot", "file": "plot.svg", "alt": "rising"},
        {"kind": "plot", "file": "plot.svg"},
    ]
    found = normalize(answer(outputs=outputs), FILES)
    assert [block["kind"] for block in found.outputs] == ["file", "plot", "notice", "notice"]


def test_refusal_is_text_for_the_user() -> None:
    """A refusal keeps its text and nothing else."""
    found = normalize(b'{"contract":1,"status":"refused","error":{"type":"Refusal","message":"Wrong <b>file</b>"}}', [])
    assert (found.status, found.refusal, found.outputs) == ("refused", "Wrong <b>file</b>", ())


def test_artifact_ids() -> None:
    """Ids are lower case and never equal."""
    assert artifact_ids(["a B.txt", "A-b.TXT", "…"]) == {"a B.txt": "a_b_txt", "A-b.TXT": "a_b_txt_2", "…": "file"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=12,
)
blocks = st.fixed_dictionaries(
    {"kind": st.sampled_from(["notice", "markdown", "table", "json", "html", "file", "plot", "x"])},
    optional={
        name: json_values
        for name in ("message", "markdown", "html", "columns", "rows", "value", "path", "file", "alt", "title")
    },
)


@settings(max_examples=150, deadline=None)
@given(st.lists(blocks | json_values, max_size=5), json_values, json_values)
def test_total_deterministic_idempotent(outputs: list[object], actions: object, state: object) -> None:
    """Any answer is normalised, twice the same, and normalising what came out changes nothing."""
    raw = answer(outputs=outputs, next_actions=actions, state=state)
    first = normalize(raw, FILES)
    assert first == normalize(raw, FILES)
    if first.status == "ok":
        again = normalize(answer(outputs=list(first.outputs), state=first.state), FILES)
        shown = [{key: value for key, value in block.items() if key != "system"} for block in first.outputs]
        assert shown == [{key: value for key, value in block.items() if key != "system"} for block in again.outputs]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes(raw: bytes) -> None:
    """No bytes make it raise."""
    assert normalize(raw, []).status in ("ok", "refused", "error", "invalid")
