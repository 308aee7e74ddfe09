"""The workspace is what the documents say: top level, root table, lock, README, workflows, quality gates."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

TOP_LEVEL = {
    ".ci",
    ".github",
    ".gitignore",
    ".importlinter",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "docs",
    "justfile",
    "packages",
    "platforms",
    "pyproject.toml",
    "services",
    "tests",
    "tooling",
    "uv.lock",
}


def tracked(workspace: Path) -> list[str]:
    """The files that git holds (also the ones it does not ignore, so that a new file is judged before its commit)."""
    command = ["git", "-C", str(workspace), "ls-files", "--cached", "--others", "--exclude-standard"]
    return [
        name
        for name in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        if (workspace / name).exists()
    ]


def table(path: Path) -> dict[str, dict[str, object]]:
    """A TOML file, parsed."""
    return tomllib.loads(path.read_text())


def test_the_top_level_is_the_documented_one(workspace: Path) -> None:
    """A new entry at the top needs a place in the map."""
    assert {name.split("/")[0] for name in tracked(workspace)} == TOP_LEVEL


def test_the_root_is_virtual(workspace: Path) -> None:
    """A [project] table in the root would make plain `uv sync` remove the members."""
    root = table(workspace / "pyproject.toml")
    assert "project" not in root


def test_every_member_states_what_a_release_needs(members: list[Path]) -> None:
    """Hatchling, a static version, Python >= 3.11, a licence, a readme and a changes folder."""
    for member in members:
        found = table(member / "pyproject.toml")
        project = found["project"]
        assert found["build-system"]["requires"] == ["hatchling>=1.27,<2"], member
        assert isinstance(project["version"], str), member
        assert (project["requires-python"], project["license"]) == (">=3.11", "Apache-2.0"), member
        assert (member / "README.md").is_file(), member


def test_every_sibling_dependency_has_both_bounds(members: list[Path]) -> None:
    """uv does not check bounds between workspace members, so the text must be right."""
    names = {str(table(member / "pyproject.toml")["project"]["name"]) for member in members}
    for member in members:
        dependencies = table(member / "pyproject.toml")["project"].get("dependencies", [])
        assert isinstance(dependencies, list)
        for line in dependencies:
            match = re.match(r"^([A-Za-z0-9._-]+)(.*)$", line)
            if match and match[1] in names:
                assert re.fullmatch(r"(\[[a-z,-]+\])?>=[\d.]+,<[\d.]+", match[2]), f"{member.name}: {line}"


def test_the_lock_names_only_the_public_index(workspace: Path) -> None:
    """A private index in the environment leaks its host into every line of the lock."""
    hosts = set(re.findall(r"https?://[^/\"]+", (workspace / "uv.lock").read_text()))
    assert hosts == {"https://pypi.org", "https://files.pythonhosted.org"}


def test_the_first_two_commands_of_the_readme_are_the_product_and_the_proof(workspace: Path) -> None:
    """A newcomer reads two lines and has both."""
    commands = re.findall(r"^uv run just .*$", (workspace / "README.md").read_text(), flags=re.MULTILINE)
    assert commands[:2] == ["uv run just shell-up", "uv run just test"]


def test_ci_runs_the_command_of_the_readme(workspace: Path) -> None:
    """.ci/run takes its command from the README instead of having its own idea."""
    assert "grep -oE '^uv run just test$' README.md" in (workspace / ".ci/run").read_text()


def test_every_check_recipe_runs_in_the_workflow(workspace: Path) -> None:
    """The workflow cannot drift from `just check`."""
    recipe = re.search(r"^check: (.*)$", (workspace / "justfile").read_text(), flags=re.MULTILINE)
    assert recipe
    workflow = yaml.safe_load((workspace / ".github/workflows/check.yml").read_text())
    runs = " ".join(step.get("run", "") for step in workflow["jobs"]["check"]["steps"])
    missing = [name for name in recipe[1].split() if name not in runs and name != "test"]
    assert (missing, "bash .ci/run" in runs) == ([], True)


def test_every_action_is_pinned_by_commit(workspace: Path) -> None:
    """A tag can be moved, a commit cannot."""
    for workflow in (workspace / ".github/workflows").glob("*.yml"):
        for used in re.findall(r"uses:\s*(\S+)", workflow.read_text()):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", used), f"{workflow.name}: {used}"


def test_no_file_is_longer_than_five_hundred_lines(workspace: Path) -> None:
    """A longer file is two files."""
    long = {
        name: lines
        for name in tracked(workspace)
        if name.endswith(".py") and (lines := len((workspace / name).read_text().splitlines())) > 500
    }
    assert long == {}


def test_no_conftest_is_longer_than_sixty_lines(workspace: Path) -> None:
    """A giant conftest hides what a test needs."""
    long = {
        name: lines
        for name in tracked(workspace)
        if name.endswith("conftest.py") and (lines := len((workspace / name).read_text().splitlines())) > 60
    }
    assert long == {}


def test_nothing_committed_holds_a_path_of_a_developers_machine(workspace: Path) -> None:
    """Where a checkout or an interpreter happened to lie does not belong into the tree."""
    pattern = re.compile("/" + r"(?:work/[a-z.]|farm/|root/\.pyenv)")
    found = []
    for name in tracked(workspace):
        path = workspace / name
        if path.suffix in {".py", ".toml", ".yaml", ".yml", ".md", ".json", ".html", ".cfg"} or path.name == "justfile":
            found += [
                f"{name}:{number}"
                for number, line in enumerate(path.read_text().splitlines(), 1)
                if pattern.search(line)
            ]
    assert found == []


def test_the_factory_finds_nothing_to_complain_about(workspace: Path) -> None:
    """`python-factory check` is clean on every member."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / "python-factory"), "check"],
        cwd=workspace,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "recipe",
    [
        "sync",
        "test",
        "lint",
        "fix",
        "types",
        "arch",
        "check",
        "bench",
        "build-wheels",
        "shell-up",
        "shell-down",
        "shell-status",
        "shell-logs",
        "shell-admin",
        "gauntlet",
    ],
)
def test_just_lists_every_recipe_with_a_sentence(recipe: str, workspace: Path) -> None:
    """`just` alone is the list of what a developer can do."""
    listed = subprocess.run(
        [str(Path(sys.executable).parent / "just"), "--list", "--unsorted"],
        cwd=workspace,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert re.search(rf"^ +{recipe}\b.*# \w", listed, flags=re.MULTILINE), listed
