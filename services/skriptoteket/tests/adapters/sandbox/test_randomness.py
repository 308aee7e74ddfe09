"""Fork hooks of the standard library are put off until a script forks itself; random numbers are renewed at once."""

import os
import subprocess
import sys
from pathlib import Path

import skriptoteket

_PROGRAM = """
import os
from skriptoteket.adapters.sandbox.inside.randomness import Renewal
renewal = Renewal()
import random
asked = os.register_at_fork
exec("import os; os.register_at_fork(after_in_child=lambda: print('put off', flush=True))", {"__name__": "logging"})
os.register_at_fork(after_in_child=lambda: print("foreign", flush=True))
renewal.ready()
assert os.register_at_fork != asked
state = random.getstate()
if os.fork() == 0:
    print(random.getstate() == state, flush=True)
    renewal.in_fork()
    print(random.getstate() == state, flush=True)
    if os.fork() == 0:
        os._exit(0)
    os.wait()
    os._exit(0)
os.wait()
"""


def test_the_standard_library_is_mended_when_a_script_forks() -> None:
    """A zygote's fork runs foreign hooks only, and renews random numbers; a script's own fork runs all hooks."""
    folder = str(Path(skriptoteket.__file__).parents[1])
    ended = subprocess.run(
        [sys.executable, "-B", "-c", _PROGRAM],
        env={**os.environ, "PYTHONPATH": folder},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert ended.stdout.split("\n") == ["foreign", "True", "False", "foreign", "put off", ""]
