"""The table of the catalogue as a page for operators."""

from collections.abc import Mapping, Sequence

from skriptoteket.conformance.abuse.attack import ENDS_SOMEHOW, HARMLESS, Attack
from skriptoteket.conformance.abuse.campaign import Verdict
from skriptoteket.conformance.abuse.catalogue import ATTACKS, CONTROL, GROUPS

_HEAD = """# The abuse catalogue of the sandbox

Each row is a real script that tries to get out, to stay, or to take too much. `skriptoteket abuse` runs every one
against every runner that works on the host, with a harmless run beside it and a secret planted in the worker's
environment and state folder; `--page FILE` writes this page. *Contained* means: the outcome below, in time; nothing
that must not work worked; the secret was not seen; the neighbour finished unharmed; what is shown of the result is
harmless.

The tests run zygote and bubblewrap; `just proof-docker` runs containers with an engine that it starts.
"""


def page(found: Mapping[str, Mapping[str, Verdict]], host: str) -> str:
    """The page; ``found`` has the verdicts by runner and attack, ``host`` says where and when in one line."""
    lines = [_HEAD, host, ""]
    for runner, verdicts in found.items():
        held = sum(not verdict.complaint for verdict in verdicts.values())
        lines.append(f"- {runner}: {held} of {len(verdicts)} contained")
    for title, attacks in GROUPS.items():
        lines += ["", f"## {title}", "", *_table(attacks, found)]
    lines += ["", "## Control", "", "Attacks on the worker, which no script can be; each has its test.", ""]
    lines += ["| id | name | proved by |", "|---|---|---|"]
    lines += [f"| {id_} | {name} | `{where}` |" for id_, (name, where) in CONTROL.items()]
    return "\n".join(lines) + "\n"


def complete(found: Mapping[str, Mapping[str, Verdict]]) -> bool:
    """Whether every attack ran against every runner."""
    return all(set(verdicts) == set(ATTACKS) for verdicts in found.values())


def _table(attacks: Sequence[Attack], found: Mapping[str, Mapping[str, Verdict]]) -> list[str]:
    rows = [f"| id | name | may end as | {' | '.join(found)} |", f"|---|---|---|{'---|' * len(found)}"]
    for attack in attacks:
        verdicts = [verdicts.get(attack.id) for verdicts in found.values()]
        words = ["not run" if one is None else "**escaped**" if one.complaint else "contained" for one in verdicts]
        rows.append(f"| {attack.id} | {attack.name} | {_expected(attack)} | {' | '.join(words)} |")
    return rows


def _expected(attack: Attack) -> str:
    if attack.expected == ENDS_SOMEHOW:
        return "any honest end"
    names = ", ".join(f"`{code.value}`" for code in sorted(attack.expected))
    return f"refused; {names}" if attack.expected == HARMLESS else names
