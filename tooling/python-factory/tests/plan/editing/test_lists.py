"""Edits change one line and nothing else, twice is once, and taking away gives the old bytes back."""

import pytest

from au_sys_python_factory.errors import Refused
from au_sys_python_factory.plan.editing.contracts import add_contracts, remove_contracts
from au_sys_python_factory.plan.editing.lists import (
    add_to_ini_list,
    add_to_toml_list,
    add_to_toml_table,
    add_to_yaml_block,
    remove_from_toml_list,
    remove_from_yaml_block,
)

TOML = """# Kept.
[tool.uv.sources]
alpha = { workspace = true }  # first

[project]
dependencies = [
    "alpha>=1",  # why
    "omega>=1",
]
"""


def test_a_sorted_list_stays_sorted_and_comments_stay() -> None:
    """The new line stands between its neighbours."""
    made = add_to_toml_list(TOML, "project", "dependencies", "beta>=1")
    assert made.splitlines()[6:9] == ['    "alpha>=1",  # why', '    "beta>=1",', '    "omega>=1",']
    assert made == add_to_toml_list(made, "project", "dependencies", "beta>=1")
    assert remove_from_toml_list(made, "project", "dependencies", "beta") == TOML


def test_removing_takes_the_whole_name_only() -> None:
    """`alpha` does not take `alpha-more` along."""
    made = add_to_toml_list(TOML, "project", "dependencies", "alpha-more>=1")
    assert remove_from_toml_list(made, "project", "dependencies", "alpha").count("alpha-more") == 1


def test_line_ends_are_kept() -> None:
    """A file with CRLF stays one."""
    made = add_to_toml_list(TOML.replace("\n", "\r\n"), "project", "dependencies", "beta>=1")
    assert made.replace("\r\n", "\n").count("\n") == made.count("\r\n")


def test_a_table_gets_its_line_before_the_blank_one() -> None:
    """The next section keeps its distance."""
    made = add_to_toml_table(TOML, "tool.uv.sources", "beta = { workspace = true }")
    assert made.splitlines()[3:5] == ["beta = { workspace = true }", ""]
    assert made == add_to_toml_table(made, "tool.uv.sources", "beta = { workspace = true }")


def test_a_list_on_one_line_is_refused() -> None:
    """Nothing is guessed."""
    with pytest.raises(Refused, match="over several lines"):
        add_to_toml_list('[project]\ndependencies = ["a"]\n', "project", "dependencies", "b")


def test_a_block_of_yaml_grows_at_its_end() -> None:
    """Comments and the next block stay where they are; an empty block becomes one."""
    text = "# What is on.\ncapabilities:\n  hub: { enabled: true }\n\n# Other.\noverlays: {}\n"
    made = add_to_yaml_block(text, "capabilities", "demo", "{ enabled: true }")
    assert made.splitlines()[2:5] == ["  hub: { enabled: true }", "  demo: { enabled: true }", ""]
    assert remove_from_yaml_block(made, "demo") == text
    assert add_to_yaml_block("capabilities: {}\n", "capabilities", "demo", "1") == "capabilities:\n  demo: 1\n"


def test_an_ini_without_the_list_is_left_alone() -> None:
    """Contracts that a workspace does not have are not invented."""
    assert add_to_ini_list("[a]\nkey = 1\n", "b", "list", "x") == "[a]\nkey = 1\n"


def test_contracts_are_added_once_and_taken_away_whole() -> None:
    """There and back is the same text."""
    text = (
        "[importlinter]\nroot_packages =\n    au_sys_identity\n\n[importlinter:contract:packages-downward]\nlayers =\n"
        "    au_sys_identity | au_sys_storage_sdk\n    fastapi_services_platform\n"
    )
    made = add_contracts(text, "au_sys_demo", "demo")
    assert "    au_sys_identity | au_sys_storage_sdk | au_sys_demo\n" in made
    assert made == add_contracts(made, "au_sys_demo", "demo")
    assert remove_contracts(made, "au_sys_demo", "demo") == text
