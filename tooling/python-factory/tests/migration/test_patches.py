"""Hand patches fit or are refused; a shifted place is found."""

from pathlib import Path

import pytest

from au_sys_python_factory.errors import Refused
from au_sys_python_factory.migration.patches import patched

PATCH = "--- a/one.py\n+++ b/one.py\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"


def test_a_patch_fits_where_its_lines_are(tmp_path: Path) -> None:
    """Lines above that nobody knew of do not matter."""
    (tmp_path / "one.diff").write_text(PATCH)
    assert patched({"one.py": "new\na\nb\nc\n"}, tmp_path) == ({"one.py": "new\na\nB\nc\n"}, 2)


def test_a_patch_for_another_text_is_refused(tmp_path: Path) -> None:
    """The message names patch and file."""
    (tmp_path / "one.diff").write_text(PATCH)
    with pytest.raises(Refused, match=r"one\.diff: one\.py:1"):
        patched({"one.py": "quite different\n"}, tmp_path)
