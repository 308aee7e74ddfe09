"""Each shell gets its script."""

import pytest
from click.testing import CliRunner

from au_sys_python_factory.cli import main


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_asks_the_factory(shell: str) -> None:
    """It names the variable that click answers to."""
    printed = CliRunner().invoke(main, ["completion", shell])
    assert printed.exit_code == 0, printed.output
    assert f"_PYTHON_FACTORY_COMPLETE={shell}_complete" in printed.output


def test_another_shell_is_refused() -> None:
    """Exit 2, and the three are named."""
    refused = CliRunner().invoke(main, ["completion", "tcsh"])
    assert refused.exit_code == 2
    assert "'bash', 'zsh', 'fish'" in refused.output
