"""Every rule finds its own wrong example and nothing else, and leaves its right one alone."""

from collections.abc import Callable

import pytest

from au_sys_python_factory.checks.catalog import BY_ID, RULES
from au_sys_python_factory.checks.rule import Rule

Plant = Callable[[str, str], list[tuple[str, str]]]

IN_TREES = {
    *("A01", "A05", "A07", "A08", "A09", "A15", "D02", "D03", "D04", "D05", "D06", "D07", "D08", "D09", "D11"),
    *("L01", "L03", "L04", "L05", "L06", "L09", "L10", "L13"),
    *("M01", "M03", "M04", "M05", "M06", "M07", "M09", "T01", "T02", "T03", "T06"),
}
"""Rules about more than one file; test_trees.py plants for them."""

PLANTED = [rule for rule in RULES if rule.id not in IN_TREES]
BY_PLACE = {"A03", "L02"}
"""Rules about the place alone: the same text elsewhere is right."""


def example(rule: Rule, text: str) -> str:
    """The example as a whole module."""
    plain = rule.id in ("L00", "L07") or text.startswith('"""')
    return (text if plain else f'"""Planted."""\n\n{text}').replace("{package}", "au_sys_notes")


def place(rule: Rule) -> str:
    """Where the example is planted."""
    return rule.place.replace("{package}", "au_sys_notes")


@pytest.mark.parametrize("rule", PLANTED, ids=lambda rule: rule.id)
def test_the_wrong_example_is_found_and_nothing_else(rule: Rule, plant: Plant) -> None:
    """One finding, with this id, in this file."""
    found = plant(place(rule), example(rule, rule.wrong))
    assert [(rule.id, f"packages/au-sys-notes/{place(rule)}")] == [(id_, path.rsplit(":", 1)[0]) for id_, path in found]


@pytest.mark.parametrize("rule", [rule for rule in PLANTED if rule.id not in BY_PLACE], ids=lambda rule: rule.id)
def test_the_right_example_is_not_found(rule: Rule, plant: Plant) -> None:
    """What the rule recommends breaks no rule at all."""
    assert plant(place(rule), example(rule, rule.right)) == []


def test_ids_are_unique_and_every_rule_explains_itself() -> None:
    """Id, title, reason, fix and both examples are there."""
    assert len(BY_ID) == len(RULES)
    assert [rule.id for rule in RULES if not all((rule.title, rule.why, rule.fix, rule.wrong, rule.right))] == []
