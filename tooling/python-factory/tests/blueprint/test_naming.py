"""One name in all its spellings; what cannot be a name is refused with a reason."""

from pathlib import Path

import pytest

from au_sys_python_factory.blueprint.naming import Names, checked_name, noun_of
from au_sys_python_factory.errors import UsageError
from au_sys_python_factory.workspace.members import find_workspace


def test_a_name_has_a_spelling_for_each_place() -> None:
    """Distribution, import, folder, settings, classes."""
    names = Names("customer-notes")
    assert (
        names.dist,
        names.package,
        names.folder,
    ) == ("au-sys-customer-notes", "au_sys_customer_notes", "packages/au-sys-customer-notes")
    assert (names.prefix, names.plugin) == ("CUSTOMER_NOTES_", "CustomerNotesCapability")


@pytest.mark.parametrize(
    ("word", "one", "many"),
    [
        ("demo", "demo", "demos"),
        ("customer-notes", "customer_note", "customer_notes"),
        ("categories", "category", "categories"),
        ("box", "box", "boxes"),
        ("boxes", "box", "boxes"),
        ("status", "status", "statuses"),
        ("key", "key", "keys"),
    ],
)
def test_nouns_have_singular_and_plural(word: str, one: str, many: str) -> None:
    """Both come out of either."""
    noun = noun_of(word)
    assert (one, many) == (noun.one, noun.many)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("class", "keyword"),
        ("match", "keyword"),
        ("email", "standard library"),
        ("Notes", "lower case"),
        ("no tes", "lower case"),
        ("nötes", "ASCII"),
        ("n" * 41, "longer"),
        ("1notes", "lower case"),
        ("../notes", "lower case"),
        ("health", "word of the platform"),
        ("au-sys-notes", "prefix"),
        ("fsp-runtime", "taken"),
        ("fsp_shell_001", "taken"),
        ("fastapi-services-platform", "taken"),
    ],
)
def test_what_cannot_be_a_name_is_refused_with_the_reason(name: str, reason: str, bare: Path) -> None:
    """The message says which rule, and there is a way on."""
    with pytest.raises(UsageError) as caught:
        checked_name(name, find_workspace(bare))
    assert reason in caught.value.what
    assert caught.value.fix


def test_a_locked_distribution_is_taken(bare: Path) -> None:
    """A package of that name would hide the other one."""
    (bare / "uv.lock").write_text('[[package]]\nname = "au-sys-ledger"\n')
    with pytest.raises(UsageError, match=r"uv\.lock"):
        checked_name("ledger", find_workspace(bare))
