"""The entry code keeps script contract 1 for every shape of script, without a sandbox around it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_RUNNER = Path(__file__).parents[2] / "runner"


def _run(job: Path, source: str, **request: object) -> dict[str, Any]:  # Any: JSON
    for name in ("input", "output"):
        (job / name).mkdir()
    (job / "script.py").write_text(source, encoding="utf-8")
    (job / "request.json").write_text(json.dumps({"entrypoint": "run_tool", **request}), encoding="utf-8")
    command = [sys.executable, "-I", "-S", "-B", str(_RUNNER / "entrypoint.py"), str(job)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    result: dict[str, Any] = json.loads((job / "result.json").read_text(encoding="utf-8"))
    return {**result, "exit": ended.returncode, "stderr": ended.stderr}


@pytest.mark.parametrize(
    ("body", "outputs"),
    [
        ("return None", []),
        ("return '<p>x</p>'", [{"kind": "html", "html": "<p>x</p>"}]),
        ("return toolkit.notice('n', 'warning')", [{"kind": "notice", "level": "warning", "message": "n"}]),
        ("return {'outputs': [{'kind': 'json', 'value': 1}]}", [{"kind": "json", "value": 1}]),
        ("return [toolkit.file('a.txt', label='A')]", [{"kind": "file", "path": "a.txt", "label": "A"}]),
        ("return (toolkit.plot('a.png', 'words'),)", [{"kind": "plot", "file": "a.png", "alt": "words"}]),
        (
            "return toolkit.table(['A', {'key': 'b', 'label': 'B'}], [[1, 2], {'A': 3}], title='T')",
            [
                {
                    "kind": "table",
                    "columns": [{"key": "A", "label": "A"}, {"key": "b", "label": "B"}],
                    "rows": [{"A": 1, "b": 2}, {"A": 3}],
                    "title": "T",
                }
            ],
        ),
    ],
)
def test_every_return_becomes_outputs(tmp_path: Path, body: str, outputs: list[object]) -> None:
    """None, text, blocks and dicts are all answers."""
    result = _run(tmp_path, f"import toolkit\ndef run_tool(input_dir, output_dir):\n    {body}\n")

    assert outputs == result["outputs"]
    assert (result["exit"], result["status"], result["contract"]) == (0, "ok", 1)


def test_what_the_signature_asks_for_is_given(tmp_path: Path) -> None:
    """The two folders come by position; inputs, files, settings, action and state by name, and only if asked for."""
    result = _run(
        tmp_path,
        "def run_tool(where, to, *, state, inputs, settings, files, action, extra=5):\n"
        "    value = [where, to, state, inputs, settings, files, action, extra]\n"
        "    return {'outputs': [{'kind': 'json', 'value': value}]}\n",
        inputs={"a": 1},
        settings={"b": 2},
        state={"c": 3},
        files=[{"name": "x"}],
        action={"action_id": "go", "input": {}},
    )

    folders = [str(tmp_path / "input"), str(tmp_path / "output")]
    assert [*folders, {"c": 3}, {"a": 1}, {"b": 2}, [{"name": "x"}], {"action_id": "go", "input": {}}, 5] == result[
        "outputs"
    ][0]["value"]


def test_missing_parts_are_empty(tmp_path: Path) -> None:
    """A request without or with malformed parts gives empty defaults."""
    result = _run(
        tmp_path,
        "import toolkit as t\ndef run_tool(i, o):\n"
        "    return {'outputs': [{'value': [t.inputs, t.files, t.settings, t.action, t.state]}]}\n",
        inputs=5,
        files="no",
    )

    assert result["outputs"][0]["value"] == [{}, [], {}, None, {}]


def test_an_async_function_is_awaited(tmp_path: Path) -> None:
    """The entrypoint may be async, and may have another name."""
    result = _run(
        tmp_path,
        "import asyncio\nasync def go(i, o):\n    await asyncio.sleep(0)\n    return 'done'\n",
        entrypoint="go",
    )

    assert result["outputs"][0]["html"] == "done"


@pytest.mark.parametrize(
    ("source", "kind", "text"),
    [
        ("def run_tool(i, o): raise SystemExit(0)", "SystemExit", "0"),
        ("def run_tool(i, o): raise KeyboardInterrupt", "KeyboardInterrupt", ""),
        ("raise RuntimeError('at import')", "RuntimeError", "at import"),
        ("x = 1", "ContractBroken", "has no function 'run_tool'"),
        ("def run_tool(i, o, colour): pass", "ContractBroken", "asks for colour"),
        ("def run_tool(i, o): return 5", "ContractBroken", "returned int"),
        ("def run_tool(i, o):\n  return [", "SyntaxError", "line 2"),
        ("def run_tool(i, o):\n  x = []\n  x.append(x)\n  return x", "ContractBroken", "cannot be written as JSON"),
        ("def run_tool(i, o): open('/nowhere/x')", "FileNotFoundError", "nowhere"),
    ],
)
def test_every_exception_becomes_an_error(tmp_path: Path, source: str, kind: str, text: str) -> None:
    """Whatever a script raises, there is a result with its kind and message, and a traceback for the author."""
    result = _run(tmp_path, source)

    assert (1, "error", kind) == (result["exit"], result["status"], result["error"]["type"])
    assert text in result["error"]["message"]
    assert "Traceback" in result["stderr"]


def test_refusal_is_no_error(tmp_path: Path) -> None:
    """A refusal passes through the script's own except clause and carries its text."""
    result = _run(
        tmp_path,
        "import toolkit\ndef run_tool(i, o):\n    try:\n        toolkit.refuse('no names')\n"
        "    except Exception:\n        return 'swallowed'\n",
    )

    assert (result["exit"], result["status"], result["error"]["message"]) == (0, "refused", "no names")


def test_toolkit_is_small() -> None:
    """Authors learn at most twelve names."""
    code = f"import sys; sys.path.insert(0, {str(_RUNNER)!r}); import toolkit; print(*toolkit.__all__)"
    names = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    assert len(names) == 12


def test_threads_and_exit_handlers_do_not_hold_the_run_up(tmp_path: Path) -> None:
    """A thread that goes on and an exit handler that hangs end with the answer."""
    result = _run(
        tmp_path,
        "import atexit, threading, time\ndef run_tool(i, o):\n"
        "    atexit.register(time.sleep, 600)\n"
        "    threading.Thread(target=time.sleep, args=(600,)).start()\n"
        "    return 'answered'\n",
    )

    assert (result["exit"], result["status"]) == (0, "ok")
