"""Merge patch (RFC 7396, appendix A) and JSON patch (RFC 6902, appendix A)."""

from typing import Any

import pytest

from au_sys_storage_sdk.core.documents.patching import apply_steps, merge
from au_sys_storage_sdk.core.errors import InvalidInput

MERGED: list[tuple[Any, Any, Any]] = [  # Any: JSON
    ({"a": "b"}, {"a": "c"}, {"a": "c"}), ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}), ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}), ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}), ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}), (["a", "b"], ["c", "d"], ["c", "d"]), ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None), ({"a": "foo"}, "bar", "bar"), ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}), ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]  # fmt: skip

STEPPED: list[tuple[Any, Any, Any]] = [  # Any: JSON
    ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"baz": "qux", "foo": "bar"}),
    ({"foo": ["bar", "baz"]}, [{"op": "add", "path": "/foo/1", "value": "qux"}], {"foo": ["bar", "qux", "baz"]}),
    ({"foo": ["bar", "qux", "baz"]}, [{"op": "remove", "path": "/foo/1"}], {"foo": ["bar", "baz"]}),
    ({"baz": "qux"}, [{"op": "replace", "path": "/baz", "value": "boo"}], {"baz": "boo"}),
    ({"foo": {"waldo": 1}, "qux": {"c": 2}}, [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
     {"foo": {}, "qux": {"c": 2, "thud": 1}}),
    ({"foo": [1, 2, 3, 4]}, [{"op": "move", "from": "/foo/1", "path": "/foo/3"}], {"foo": [1, 3, 4, 2]}),
    ({"baz": "qux"}, [{"op": "test", "path": "/baz", "value": "qux"}], {"baz": "qux"}),
    ({"foo": 1}, [{"op": "add", "path": "", "value": 2}], 2),
    ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}),
    ({"foo": ["bar"]}, [{"op": "add", "path": "/foo/-", "value": ["abc"]}], {"foo": ["bar", ["abc"]]}),
    ({"a": {"b": 1}}, [{"op": "copy", "from": "/a", "path": "/c"}], {"a": {"b": 1}, "c": {"b": 1}}),
]  # fmt: skip

REFUSED: list[tuple[Any, Any]] = [  # Any: JSON
    ({"a": 1}, [{"op": "test", "path": "/a", "value": True}]), ({"a": 1}, [{"op": "remove", "path": "/b"}]),
    ({"a": [1]}, [{"op": "add", "path": "/a/2", "value": 1}]),
    ({"a": [1]}, [{"op": "add", "path": "/a/01", "value": 1}]),
    ({"a": [1]}, [{"op": "remove", "path": "/a/-"}]), ({"a": 1}, [{"op": "add", "path": "/a/b", "value": 1}]),
    ({"a": 1}, [{"op": "add", "path": "a", "value": 1}]), ({"a": 1}, [{"op": "nope", "path": "/a"}]),
    ({"a": {}}, [{"op": "move", "from": "/a", "path": "/a/b"}]), ({}, ["step"]), ({}, [{"op": "add", "path": "/a"}]),
    ({"a": [1]}, [{"op": "add", "path": "/a/99999999999999999999", "value": 1}]), ({}, [{"op": "copy", "path": "/a"}]),
    ({"a": 1}, [{"op": "replace", "path": "/b", "value": 1}]),
]  # fmt: skip


@pytest.mark.parametrize(("target", "patch", "expected"), MERGED)
def test_merge_patch_follows_its_appendix(target: Any, patch: Any, expected: Any) -> None:  # Any: JSON
    """Each row of the RFC's table."""
    assert expected == merge(target, patch)


@pytest.mark.parametrize(("target", "steps", "expected"), STEPPED)
def test_json_patch_follows_its_appendix(target: Any, steps: Any, expected: Any) -> None:  # Any: JSON
    """Each good example of the RFC; the given value is left alone."""
    before = repr(target)
    assert expected == apply_steps(target, steps)
    assert before == repr(target)


@pytest.mark.parametrize(("target", "steps"), REFUSED)
def test_wrong_steps_are_refused(target: Any, steps: Any) -> None:  # Any: JSON
    """The error names the step; nothing half-done is returned."""
    with pytest.raises(InvalidInput, match=r"^patch: step 0"):
        apply_steps(target, steps)
