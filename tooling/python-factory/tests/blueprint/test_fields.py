"""Fields are read as they are written, and refused with the rule that they break."""

import pytest

from au_sys_python_factory.blueprint.fields import Field, read_field, read_fields
from au_sys_python_factory.errors import UsageError


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ("title:str", Field("title", "str", least="1", most="200")),
        ("title:str(3..40)", Field("title", "str", least="3", most="40")),
        ("title:str(..40)?", Field("title", "str", optional=True, least="1", most="40")),
        ("size:int(0..)", Field("size", "int", least="0", most="2147483647")),
        ("price:decimal(0..99.5)", Field("price", "decimal", least="0", most="99.5")),
        ("due:date?", Field("due", "date", optional=True)),
        ("state:enum(open|done)", Field("state", "enum", choices=("open", "done"))),
        ("tags:list(str)", Field("tags", "list", most="100", item="str")),
    ],
)
def test_a_field_is_read(spec: str, field: Field) -> None:
    """Name, type, bounds, choices, optional."""
    assert field == read_field(spec)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("title", "is no field"),
        ("title:string", "no type string"),
        ("Title:str", "cannot be the name"),
        ("class:str", "cannot be the name"),
        ("id:uuid", "already"),
        ("version:int", "already"),
        ("state:enum(open)", "at least two"),
        ("state:enum(open|Open)", "at least two"),
        ("tags:list(bool)", "cannot be kept"),
        ("size:int(9..1)", "bounds nothing"),
        ("size:int(a..b)", "are no numbers"),
        ("size:int(5)", "are no bounds"),
        ("due:date(1..2)", "has no bounds"),
        ("title:str(1..9000)", "at most 2000"),
    ],
)
def test_what_is_no_field_is_refused_with_the_reason(spec: str, reason: str) -> None:
    """The message says what is wrong."""
    with pytest.raises(UsageError) as caught:
        read_field(spec)
    assert reason in caught.value.what
    assert caught.value.fix


def test_a_field_twice_is_refused() -> None:
    """Two columns of one name cannot be."""
    with pytest.raises(UsageError, match="twice"):
        read_fields(("title:str", "title:text"))


def test_something_must_be_required() -> None:
    """A noun of which everything may be empty has no negative case."""
    with pytest.raises(UsageError, match="may be empty"):
        read_fields(("note:text?", "done:bool"))
