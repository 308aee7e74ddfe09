"""TOML, merged key by key: the owner's file keeps its order and comments and takes over what the template changed."""

from collections.abc import Iterator, MutableMapping

import tomlkit
from tomlkit.exceptions import TOMLKitError

Path = tuple[str, ...]
_ABSENT = object()


def merge(base: str, ours: str, theirs: str) -> tuple[str, tuple[str, ...]] | None:
    """The merged text and the keys that both sides changed differently; ``None`` where one text is no TOML."""
    try:
        old, new = tomlkit.parse(base).unwrap(), tomlkit.parse(theirs).unwrap()
        document = tomlkit.parse(ours)
    except TOMLKitError:
        return None
    clashes: list[str] = []
    for path, before, after in _changes(old, new, ()):
        _take(document, path, before, after, clashes)
    return tomlkit.dumps(document), tuple(clashes)


def _changes(old: dict[str, object], new: dict[str, object], above: Path) -> Iterator[tuple[Path, object, object]]:
    for key in [*old, *(key for key in new if key not in old)]:
        before, after = old.get(key, _ABSENT), new.get(key, _ABSENT)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _changes(before, after, (*above, key))
        elif before != after:
            yield (*above, key), before, after


def _take(document: MutableMapping[str, object], path: Path, before: object, after: object, clashes: list[str]) -> None:
    place: MutableMapping[str, object] = document
    for key in path[:-1]:
        below = place.get(key)
        if not isinstance(below, MutableMapping):
            if key in place or after is _ABSENT:
                clashes.append(".".join(path))
                return
            place[key] = below = tomlkit.table()
        place = below
    key = path[-1]
    present = _plain(place.get(key, _ABSENT))
    if present == after:
        return
    if isinstance(before, list) and isinstance(after, list) and isinstance(present, list):
        _take_items(place[key], before, after)
    elif present != before:
        clashes.append(".".join(path))
    elif after is _ABSENT:
        del place[key]
    else:
        place[key] = after


def _take_items(items: object, before: list[object], after: list[object]) -> None:
    """Lists are sets with an order: what the template added is added, what it dropped is dropped."""
    if not isinstance(items, list):
        return
    for item in before:
        if item not in after and item in items:
            items.remove(item)
    for item in after:
        if item not in before and item not in items:
            items.append(item)


def _plain(value: object) -> object:
    unwrap = getattr(value, "unwrap", None)
    return unwrap() if unwrap else value
