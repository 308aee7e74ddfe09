"""Every language is complete: each text of each member is translated, marked where it stands, and compiled."""

from pathlib import Path

import pytest

from fastapi_services_platform.testing.translations import Member, current, faults, member, unmarked

ROOT = Path(__file__).parents[2]
MEMBERS = [
    member(path.parent)
    for path in sorted([*ROOT.glob("packages/*/pyproject.toml"), *ROOT.glob("services/*/pyproject.toml")])
    if "[tool.fsp.translations]" in path.read_text()
]
LANGUAGES = [(of, language) for of in MEMBERS for language in of.languages]
NOT_TRANSLATED = {"gallery.html"}
"""The page of components is for those who write pages; its samples are English."""
NAMES = {"English", "Svenska", "ms"}


@pytest.mark.parametrize(("of", "language"), LANGUAGES, ids=lambda value: getattr(value, "domain", value))
def test_nothing_is_missing(of: Member, language: str) -> None:
    """Every text is there, nothing is fuzzy, empty or left over, no placeholder is lost, and it is compiled."""
    assert faults(of, language) == [], "just translations"
    assert current(of, language), "just translations"


@pytest.mark.parametrize("of", MEMBERS, ids=lambda of: of.domain)
def test_no_text_is_unmarked(of: Member) -> None:
    """Between the tags of a template, and in what it hands to macros, stands nothing that is not looked up."""
    shown = {
        path.name: left
        for path in of.templates()
        if path.name not in NOT_TRANSLATED
        and (left := [word for word in unmarked(path.read_text(encoding="utf-8")) if word not in NAMES])
    }
    assert shown == {}


def test_every_member_speaks_swedish() -> None:
    """No member is left out."""
    assert {of.domain for of in MEMBERS if "sv" in of.languages} >= {"hub", "identity", "skriptoteket"}
