"""The act and its hash: one spelling for the same call, another hash for every other one."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from au_sys_identity.core.approvals.models import Act, Call, body_hash
from au_sys_identity.core.canonical import NotCanonical, canonical, canonical_text
from au_sys_identity.core.subjects.models import SubjectUrn

CALL = Call.of("post", "/things/1", "b=2&a=1&a=&c", b'{"n": 1.0, "t": "\xc3\xbc"}', "application/json")
ACT = Act(UUID(int=7), SubjectUrn("urn:au:app:x"), None, CALL, datetime(2026, 3, 1, tzinfo=UTC))


def test_an_act_is_written_as_the_standard_says() -> None:
    """RFC 8785: sorted keys, no blanks, shortest numbers; the hash is that of this text."""
    text = (
        '{"approval_id":"00000000-0000-0000-0000-000000000007","body_sha256":"'
        + hashlib.sha256('{"n":1,"t":"ü"}'.encode()).hexdigest()
        + '","expires_at":"2026-03-01T00:00:00Z","method":"POST","on_behalf_of":null,"path":"/things/1",'
        '"query":[["a",""],["a","1"],["b","2"],["c",""]],"requester":"urn:au:app:x","v":1}'
    )
    assert canonical(ACT.document()).decode() == text
    assert ACT.hash() == hashlib.sha256(text.encode()).digest()


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        # the samples of RFC 8785, appendix B and section 3.2.3
        (
            "[333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001]",
            "[333333333.3333333,1e+30,4.5,0.002,1e-27]",
        ),
        (
            '{"\\u20ac": "Euro Sign", "\\r": "CR", "1": "One", "\\ud83d\\ude00": "Smiley"}',
            '{"\\r":"CR","1":"One","€":"Euro Sign","😀":"Smiley"}',
        ),
        ('"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/"', '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'),
        ("[null, true, false, -0]", "[null,true,false,0]"),
    ],
)
def test_canonical_json_follows_the_published_vectors(given_text: str, expected: str) -> None:
    """RFC 8785."""
    assert canonical_text(given_text.encode()).decode() == expected


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', "[9007199254740993]", '"\\ud800"', "{", "", "[NaN]"])
def test_what_has_no_canonical_form_is_refused(text: str) -> None:
    """A key twice, a number beyond 2^53, half a pair, no JSON."""
    with pytest.raises(NotCanonical):
        canonical_text(text.encode())


def test_every_member_counts() -> None:
    """Each field of the act has a part in its hash."""
    others = [
        replace(ACT, approval_id=UUID(int=8)),
        replace(ACT, requester=SubjectUrn("urn:au:app:y")),
        replace(ACT, on_behalf_of=SubjectUrn("urn:au:user:z")),
        replace(ACT, expires_at=datetime(2026, 3, 2, tzinfo=UTC)),
        *(
            replace(ACT, call=replace(CALL, **change))
            for change in (
                {"method": "PUT"},
                {"path": "/things/2"},
                {"query": CALL.query[1:]},
                {"body_sha256": "0" * 64},
            )
        ),
    ]
    assert len({act.hash() for act in [ACT, *others]}) == 1 + len(others)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(json_values, st.booleans())
def test_a_body_is_the_same_however_it_is_spelled(value: object, ascii_only: bool) -> None:
    """Indented, escaped or compact: one hash."""
    spelled = json.dumps(value, indent=1, ensure_ascii=ascii_only).encode()
    compact = json.dumps(value, separators=(",", ":")).encode()
    kinds = ("application/json", "application/json; charset=utf-8", "application/merge-patch+json")
    assert len({body_hash(body, kind) for body in (spelled, compact, canonical(value)) for kind in kinds}) == 1


@given(st.binary(min_size=1, max_size=80), st.data())
def test_every_changed_byte_of_a_body_is_another_act(body: bytes, data: st.DataObject) -> None:
    """A flipped bit anywhere, in a body that is no JSON: another hash."""
    place = data.draw(st.integers(0, len(body) * 8 - 1))
    changed = bytearray(body)
    changed[place // 8] ^= 1 << place % 8
    assert body_hash(body, "application/octet-stream") != body_hash(bytes(changed), "application/octet-stream")
