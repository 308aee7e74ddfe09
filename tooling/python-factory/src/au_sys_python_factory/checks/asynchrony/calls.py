"""Which functions of a package call which: what a coroutine, a route or a dependency reaches."""

from collections.abc import Iterable

from au_sys_python_factory.checks.reading.source import SourceFile

Key = tuple[str, str]
"""Module and name of a function."""


def reached(files: Iterable[SourceFile], starts: Iterable[Key], *, colours: tuple[str, ...]) -> dict[Key, str]:
    """Functions at the top of modules that run when a start runs, each with the start that gets there first.

    Only functions of these ``colours`` (plain, async) are followed.
    """
    calls: dict[Key, list[str]] = {}
    follow: set[Key] = set()
    for file in files:
        for one in file.facts.runs:
            calls.setdefault((file.module, one.name), []).extend(one.calls)
            if one.place == "top" and one.colour.split(",")[0] in colours:
                follow.add((file.module, one.name))
    found: dict[Key, str] = {}
    waiting = [(key, key[1]) for key in starts]
    while waiting:
        key, origin = waiting.pop()
        for name in calls.get(key, ()):
            module, _, last = name.rpartition(".")
            called = (module, last)
            if called in follow and called not in found:
                found[called] = origin
                waiting.append((called, origin))
    return found
