"""Fields of a noun as they are written: ``title:str(1..200)``, ``state:enum(open|done)``, ``due:date?``."""

import keyword
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from au_sys_python_factory.errors import UsageError

KINDS = ("str", "text", "int", "decimal", "bool", "date", "datetime", "uuid", "email", "enum", "list")
ITEMS = ("str", "int", "decimal", "date", "uuid", "email")
RESERVED = {
    "id",
    "version",
    "content",
    "created_by",
    "created_at",
    "changed_at",
    "form",
    "csrf_token",
    "model_config",
    "of",
}
LIST_MOST = 100
LARGEST = 2_147_483_647

_SPEC = re.compile(r"(?P<name>[^:]+):(?P<kind>[a-z]+)(?:\((?P<inside>[^()]*)\))?(?P<optional>\?)?")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class Field:
    """One field; ``least`` and ``most`` bound characters of a text and values of a number."""

    name: str
    kind: str
    optional: bool = False
    least: str = ""
    most: str = ""
    choices: tuple[str, ...] = ()
    item: str = ""


def read_fields(specs: tuple[str, ...]) -> tuple[Field, ...]:
    """All fields of a noun.

    Raises:
        UsageError: a field is not well formed, or is there twice.
    """
    fields = tuple(read_field(spec) for spec in specs)
    names = [field.name for field in fields]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"field {twice[0]} is given twice.", fix="give each field one name.")
    if fields and all(field.optional or field.kind in ("bool", "list") for field in fields):
        raise UsageError(
            "every field may be empty.", fix="let at least one field be required (no `?`, no bool or list)."
        )
    return fields


def read_field(spec: str) -> Field:
    """One field.

    Raises:
        UsageError: what is wrong with it, and what would be right.
    """
    found = _SPEC.fullmatch(spec.strip())
    if not found:
        raise UsageError(f"{spec!r} is no field.", fix="write name:type, for example title:str(1..200) or due:date?")
    name, kind, inside = found["name"], found["kind"], found["inside"] or ""
    _check_name(name)
    if kind not in KINDS:
        raise UsageError(f"{name}: there is no type {kind}.", fix=f"one of {', '.join(KINDS)}.")
    optional = bool(found["optional"])
    if kind == "enum":
        return Field(name, kind, optional, choices=_choices(name, inside))
    if kind == "list":
        return Field(name, kind, optional, most=str(LIST_MOST), item=_item(name, inside))
    least, most = _bounds(name, kind, inside)
    return Field(name, kind, optional, least, most)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise UsageError(
            f"{name!r} cannot be the name of a field.", fix="lower case letters, digits and _, no Python keyword."
        )
    if name in RESERVED or name.startswith("model_"):
        raise UsageError(f"every noun has {name} already.", fix="choose another name for the field.")


def _choices(name: str, inside: str) -> tuple[str, ...]:
    choices = tuple(choice.strip() for choice in inside.split("|"))
    if len(choices) < 2 or not all(_NAME.fullmatch(choice) for choice in choices) or len(set(choices)) < len(choices):
        raise UsageError(
            f"{name}: an enum needs at least two different lower-case words.", fix=f"{name}:enum(open|done)"
        )
    return choices


def _item(name: str, inside: str) -> str:
    item = inside.strip() or "str"
    if item not in ITEMS:
        raise UsageError(f"{name}: a list of {item} cannot be kept.", fix=f"one of {', '.join(ITEMS)}.")
    return item


def _bounds(name: str, kind: str, inside: str) -> tuple[str, str]:
    standard = {"str": ("1", "200"), "text": ("0", "20000"), "int": (str(-LARGEST), str(LARGEST))}
    standard["decimal"] = ("-999999999999", "999999999999")
    if kind not in standard:
        if inside:
            raise UsageError(f"{name}: {kind} has no bounds.", fix=f"{name}:{kind}")
        return "", ""
    least, most = standard[kind]
    if inside:
        low, dots, high = inside.partition("..")
        if not dots:
            raise UsageError(f"{name}: ({inside}) are no bounds.", fix=f"{name}:{kind}({least}..{most})")
        least, most = low.strip() or least, high.strip() or most
    _check_bounds(name, kind, least, most)
    return least, most


def _check_bounds(name: str, kind: str, least: str, most: str) -> None:
    try:
        low, high = (Decimal(least), Decimal(most))
    except InvalidOperation:
        raise UsageError(f"{name}: {least}..{most} are no numbers.", fix=f"{name}:{kind}(1..200)") from None
    whole = kind == "decimal" or (low == low.to_integral_value() and high == high.to_integral_value())
    if low > high or not whole or (kind in ("str", "text") and low < 0):
        raise UsageError(
            f"{name}: {least}..{most} bounds nothing.", fix="the lower bound first, whole numbers for texts and int."
        )
    if kind == "str" and high > 2000:
        raise UsageError(f"{name}: a str has at most 2000 characters.", fix=f"{name}:text(0..{most})")
