"""Fields and uploaded files are checked by the server."""

import pytest

from skriptoteket.core.errors import PayloadTooLarge, ValidationFailed
from skriptoteket.core.fields.forms import accept_form
from skriptoteket.core.fields.schema import check_schema
from skriptoteket.core.runs.inputs import Upload, file_issues, name_problem, unique_names

OPTIONS = [{"value": "a"}, {"value": "b"}]


@pytest.mark.parametrize(
    ("field", "given", "expected"),
    [
        ({"kind": "string"}, "  x ", "x"),
        ({"kind": "text"}, "  x ", "  x "),
        ({"kind": "integer"}, "12", 12),
        ({"kind": "integer", "min": 0}, 3.0, 3),
        ({"kind": "number"}, "1.5", 1.5),
        ({"kind": "boolean"}, "on", True),
        ({"kind": "boolean"}, "0", False),
        ({"kind": "date"}, "2026-02-28", "2026-02-28"),
        ({"kind": "enum", "options": OPTIONS}, "b", "b"),
        ({"kind": "multi_enum", "options": OPTIONS}, ["a", "b"], ["a", "b"]),
        ({"kind": "string", "default": "d"}, "", "d"),
    ],
)
def test_accepted(field: dict[str, object], given: object, expected: object) -> None:
    """A value that fits reaches the script in its own type."""
    assert {"f": expected} == accept_form([{**field, "name": "f"}], {"f": given})  # type: ignore[dict-item]  # JSON


@pytest.mark.parametrize(
    ("field", "given", "rule"),
    [
        ({"kind": "string", "required": True}, "", "required"),
        ({"kind": "string", "max_length": 2}, "abc", "max_length"),
        ({"kind": "string"}, "a\x00b", "characters"),
        ({"kind": "integer"}, "1,5", "type"),
        ({"kind": "integer"}, True, "type"),
        ({"kind": "number"}, "nan", "type"),
        ({"kind": "number", "max": 3}, "4", "max"),
        ({"kind": "boolean"}, "perhaps", "type"),
        ({"kind": "date", "min": "2026-01-01"}, "2025-12-31", "min"),
        ({"kind": "date"}, "31/12/2025", "type"),
        ({"kind": "enum", "options": OPTIONS}, "c", "option"),
        ({"kind": "multi_enum", "options": OPTIONS}, ["a", "a"], "duplicate"),
    ],
)
def test_refused(field: dict[str, object], given: object, rule: str) -> None:
    """A value that does not fit is refused with the rule's name."""
    with pytest.raises(ValidationFailed) as refused:
        accept_form([{**field, "name": "f"}], {"f": given})  # type: ignore[dict-item]  # JSON
    assert [("f", rule)] == [(issue.field, issue.code) for issue in refused.value.issues]


def test_all_problems_are_told_together() -> None:
    """One entry for each wrong field, unknown ones too."""
    schema = [{"kind": "integer", "name": "n"}, {"kind": "string", "name": "s", "required": True}]
    with pytest.raises(ValidationFailed) as refused:
        accept_form(schema, {"n": "x", "other": "1"})  # type: ignore[arg-type]  # JSON
    assert {"n", "s", "other"} == {issue.field for issue in refused.value.issues}


@pytest.mark.parametrize(
    ("field", "path"),
    [
        ({"kind": "colour", "name": "x"}, "0.kind"),
        ({"kind": "string", "name": "X"}, "0.name"),
        ({"kind": "string", "name": "x", "options": []}, "0.options"),
        ({"kind": "integer", "name": "x", "default": 9, "max": 3}, "0.default"),
        ({"kind": "enum", "name": "x", "options": [{"label": "no value"}]}, "0.options.0.value"),
        ({"kind": "file", "name": "x", "accept": ["csv"]}, "0.accept.0"),
        ({"kind": "file", "name": "x", "min": 3, "max": 2}, "0.max"),
        ("text", "0"),
    ],
)
def test_wrong_schema(field: object, path: str) -> None:
    """A wrong schema is told with the path of what is wrong."""
    assert path in [issue.path for issue in check_schema([field], "input_schema")]


def test_file_fields_are_few_and_in_the_input_only() -> None:
    """Six file fields are too many; a file field in settings is refused."""
    six = [{"kind": "file", "name": f"f{number}"} for number in range(6)]
    assert [issue.path for issue in check_schema(six, "input_schema")] == [""]
    assert [issue.path for issue in check_schema(six[:1], "settings_schema")] == ["0.kind"]


def upload(name: str, head: bytes = b"a;b", field: str = "f", size: int | None = None) -> Upload:
    """A stored upload."""
    return Upload(field, name, len(head) if size is None else size, "0" * 64, "key", head)


@pytest.mark.parametrize(
    ("uploads", "rule"),
    [
        ([], "required"),
        ([upload("a.csv"), upload("b.csv")], "too_many"),
        ([upload("a.xlsx")], "extension"),
        ([upload("a.csv", b"PK\x03\x04")], "content"),
        ([upload("a.csv", b"a\x00b")], "content"),
        ([upload("a/b.csv")], "file_name"),
    ],
)
def test_files_that_do_not_fit(uploads: list[Upload], rule: str) -> None:
    """Number, extension, content and name are judged; one entry for the field."""
    schema = [{"kind": "file", "name": "f", "accept": [".csv"], "max_bytes": 1000}]
    assert [rule] == [issue.code for issue in file_issues(schema, uploads)]  # type: ignore[arg-type]  # JSON


def test_an_empty_file_is_data() -> None:
    """No bytes are bytes; the script judges."""
    assert file_issues([{"kind": "file", "name": "f", "accept": [".csv"]}], [upload("a.csv", b"")]) == ()


def test_a_file_over_its_field_s_limit() -> None:
    """The limit is named in words."""
    with pytest.raises(PayloadTooLarge, match="2 kB"):
        file_issues([{"kind": "file", "name": "f", "max_bytes": 2000}], [upload("a.csv", size=3000)])


def test_files_without_a_field() -> None:
    """Files for a field that does not exist are refused."""
    assert [issue.code for issue in file_issues([], [upload("a.csv")])] == ["unknown"]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "a\x00b", "a\nb", "a\u202eb", "x" * 201])
def test_names_that_are_refused(name: str) -> None:
    """A name that could lead somewhere else or deceive is refused, not cleaned."""
    assert name_problem(name)


def test_equal_names_get_a_number() -> None:
    """The second of two equal names is numbered, whatever its case or composition."""
    assert unique_names(["a.csv", "A.csv", "å.csv", "å.csv"]) == ("a.csv", "A (2).csv", "å.csv", "å (2).csv")
