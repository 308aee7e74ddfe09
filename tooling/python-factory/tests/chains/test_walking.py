"""A short walk of random commands: what a dry run shows is what is written, twice is once, every step leads back."""

import importlib.util
from pathlib import Path
from types import ModuleType


def walking() -> ModuleType:
    """The long proof beside this file."""
    spec = importlib.util.spec_from_file_location("chains_walking", Path(__file__).with_name("walking.py"))
    if spec is None or spec.loader is None:
        raise ImportError("walking.py is not there")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_random_commands_do_what_their_dry_run_shows_and_lead_back(bare: Path) -> None:
    """Six of them from a fixed start, with undo and redo among them; the house rules find nothing afterwards."""
    walk = walking().Walk(bare, seed=4)
    for _ in range(6):
        walk.step()
    walk.check()
    assert walk.written >= 2
    assert {"undo", "redo"} & set(walk.told)
