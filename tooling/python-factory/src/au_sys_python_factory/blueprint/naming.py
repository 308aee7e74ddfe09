"""One name in all its spellings."""

import keyword
import re
import sys
from dataclasses import dataclass

from au_sys_python_factory.errors import UsageError
from au_sys_python_factory.workspace.members import Workspace

_SHAPE = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_LONGEST = 40
_TAKEN_WORDS = {
    "core",
    "adapters",
    "manifest",
    "tests",
    "api",
    "health",
    "hub",
    "platform",
    "static",
    "problems",
    "discovery",
}


@dataclass(frozen=True, slots=True)
class Names:
    """A name of a capability or service: as people type it, and as each place spells it."""

    given: str
    service: bool = False

    @property
    def kebab(self) -> str:
        """``customer-notes``."""
        return self.given.replace("_", "-")

    @property
    def capability(self) -> str:
        """``customer_notes``: permissions, database, templates."""
        return self.given.replace("-", "_")

    @property
    def dist(self) -> str:
        """``au-sys-customer-notes``; services carry no prefix."""
        return self.kebab if self.service else f"au-sys-{self.kebab}"

    @property
    def package(self) -> str:
        """``au_sys_customer_notes``."""
        return self.dist.replace("-", "_")

    @property
    def folder(self) -> str:
        """``packages/au-sys-customer-notes``, ``services/customer-notes``."""
        return f"{'services' if self.service else 'packages'}/{self.dist}"

    @property
    def prefix(self) -> str:
        """``CUSTOMER_NOTES_``: settings."""
        return f"{self.capability.upper()}_"

    @property
    def pascal(self) -> str:
        """``CustomerNotes``."""
        return pascal(self.given)

    @property
    def plugin(self) -> str:
        """``CustomerNotesCapability``."""
        return f"{self.pascal}{'Service' if self.service else 'Capability'}"

    @property
    def settings(self) -> str:
        """``CustomerNotesSettings``."""
        return f"{self.pascal}Settings"

    @property
    def error(self) -> str:
        """``CustomerNotesError``."""
        return f"{self.pascal}Error"


@dataclass(frozen=True, slots=True)
class Noun:
    """The thing that a capability keeps: singular and plural, in code and for people."""

    one: str
    many: str

    @property
    def One(self) -> str:
        """``CustomerNote``."""
        return pascal(self.one)

    @property
    def Many(self) -> str:
        """``CustomerNotes``."""
        return pascal(self.many)

    @property
    def label(self) -> str:
        """``customer note``."""
        return self.one.replace("_", " ")

    @property
    def label_many(self) -> str:
        """``customer notes``."""
        return self.many.replace("_", " ")

    @property
    def Label(self) -> str:
        """``Customer note``."""
        return self.label.capitalize()

    @property
    def Label_many(self) -> str:
        """``Customer notes``."""
        return self.label_many.capitalize()


def pascal(name: str) -> str:
    """``customer-notes`` as ``CustomerNotes``."""
    return "".join(part.capitalize() for part in re.split(r"[-_]", name))


def noun_of(word: str) -> Noun:
    """A noun in singular and plural, from either of them."""
    one = word.replace("-", "_")
    if one.endswith("ies") and len(one) > 4:
        one = f"{one[:-3]}y"
    elif re.search(r"(?:s|x|z|ch|sh)es$", one):
        one = one[:-2]
    elif one.endswith("s") and not one.endswith(("ss", "us", "is")):
        one = one[:-1]
    if re.search(r"[^aeiou]y$", one):
        many = f"{one[:-1]}ies"
    elif re.search(r"(?:s|x|z|ch|sh)$", one):
        many = f"{one}es"
    else:
        many = f"{one}s"
    return Noun(one, many)


def checked_name(name: str, workspace: Workspace, *, service: bool = False) -> Names:
    """The spellings of the name of a new capability, or of a new service.

    Raises:
        UsageError: the name cannot be used, and why.
    """
    check_word(name, "name")
    names = Names(name, service)
    _check_free(names, workspace)
    return names


def check_word(word: str, what: str) -> None:
    """Whether a word can be a name in Python, in SQL and in an address.

    Raises:
        UsageError: it cannot, with the nearest word that can.
    """
    if not word.isascii():
        raise UsageError(f"the {what} {word!r} has letters beyond ASCII.", fix="spell it with a-z, 0-9 and -.")
    if not _SHAPE.fullmatch(word):
        near = re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-0123456789") or "notes"
        raise UsageError(f"the {what} {word!r} is not lower case words joined by -.", fix=f"for example {near}.")
    if len(word) > _LONGEST:
        raise UsageError(f"the {what} {word!r} is longer than {_LONGEST} characters.", fix="choose a shorter one.")
    plain = word.replace("-", "_")
    if keyword.iskeyword(plain) or keyword.issoftkeyword(plain):
        raise UsageError(f"{word!r} is a keyword of Python.", fix=f"for example {word}-records.")
    if plain in sys.stdlib_module_names:
        raise UsageError(f"{word!r} is a module of Python's standard library.", fix=f"for example {word}-records.")


def _check_free(names: Names, workspace: Workspace) -> None:
    if names.capability in _TAKEN_WORDS:
        raise UsageError(
            f"{names.given!r} is a word of the platform itself.", fix=f"for example {names.kebab}-records."
        )
    if names.kebab.startswith("au-sys-"):
        raise UsageError(f"{names.given!r} has the prefix already.", fix=names.kebab.removeprefix("au-sys-"))
    for member in workspace.members:
        spellings = {_flat(member.dist), _flat(member.path.name), *map(_flat, member.plugins)}
        if {_flat(names.dist), _flat(names.kebab)} & spellings:
            raise UsageError(
                f"{names.given!r} is taken by {member.dist}.", where=member.relative, fix="choose another name."
            )
    locked = _locked(workspace)
    if names.kebab in locked or names.dist in locked:
        raise UsageError(f"{names.given!r} is a distribution in uv.lock.", fix=f"for example {names.kebab}-records.")


def _flat(name: str) -> str:
    return re.sub(r"[-_.]", "", name).lower()


def _locked(workspace: Workspace) -> set[str]:
    lock = workspace.root / "uv.lock"
    return set(re.findall(r'(?m)^name = "([^"]+)"$', lock.read_text(encoding="utf-8"))) if lock.is_file() else set()
