"""Random edits: every test that loads the edited file is among those that are listed."""

import importlib.util
from pathlib import Path


def test_every_test_that_loads_the_edited_file_is_listed(tmp_path: Path) -> None:
    """In one made-up workspace, against running its tests; ``just proof-factory`` does 500."""
    spec = importlib.util.spec_from_file_location("affected_edits", Path(__file__).with_name("edits.py"))
    if spec is None or spec.loader is None:
        raise ImportError("edits.py is not there")
    edits = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(edits)
    broken, listed = edits.prove(40, 7, tmp_path.resolve())
    assert 0 < broken <= listed
