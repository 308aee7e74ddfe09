"""Load the script, call it, write the result: script contract 1, inside the sandbox.

Called as ``entrypoint.py JOB [CHANNEL PROCESSES]``. CHANNEL is a descriptor on which this code says that it is ready,
waits for its release, and sends progress records; or ``mark:`` with the word that begins a record on stderr, where no
descriptor can be handed in. Whatever happens, ``result.json`` is written if the disk allows it.
"""

import inspect
import json
import linecache
import os
import sys
import traceback
from pathlib import Path

CONTRACT = 1
BY_NAME = ("inputs", "files", "settings", "action", "state")
MAX_MESSAGE = 4000
PACKAGES = "/environment"


class ContractBroken(Exception):
    """The script does not fit the contract; the message tells its author how."""


def main() -> int:
    """Run one script; the exit code is 0 when it answered or refused, 1 otherwise."""
    job = Path(sys.argv[1])
    told = sys.argv[2] if len(sys.argv) > 2 else ""
    channel = int(told) if told and not told.startswith("mark:") else None
    toolkit = _prepare(job, channel, int(sys.argv[3]) if len(sys.argv) > 3 else None)
    toolkit._mark = told.removeprefix("mark:") if channel is None else ""
    status, error, answer = "ok", None, {"outputs": [], "next_actions": [], "state": None}
    try:
        answer = _answer(_call(job, toolkit))
    except toolkit.Refusal as refusal:
        status, error = "refused", {"type": "Refusal", "message": str(refusal)}
    except BaseException as caught:  # SystemExit and KeyboardInterrupt too: no script may end without a result
        traceback.print_exc()
        status, error = "error", _describe(caught)
    _flush()
    text, sound = _as_text({"contract": CONTRACT, "status": status, "error": error, **answer})
    return 0 if _write(job, text) and sound and status != "error" else 1


def _prepare(job: Path, channel: int | None, processes: int | None):
    toolkit = toolkit_of_scripts()
    if processes is not None:
        # Set here and not earlier: processes are counted per user namespace, and only in here is it the run's own.
        import resource

        resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
    if channel is not None:
        os.write(channel, b"ready")
        if os.read(channel, 16) != b"go":
            os._exit(125)
        os.set_blocking(channel, False)
        os.set_inheritable(channel, False)
    toolkit._load(job)  # only now: a warm process gets its request just before its release
    toolkit._channel = channel
    return toolkit


def toolkit_of_scripts():
    """The toolkit, without a request yet; where scripts and a warm process find it."""
    folder = str(Path(__file__).parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    if PACKAGES not in sys.path:
        sys.path.append(PACKAGES)
    import toolkit  # only now: it lies beside this file, which an isolated interpreter does not look at

    return toolkit


def _call(job: Path, toolkit):
    source = (job / "script.py").read_text(encoding="utf-8")
    name = str(toolkit.request.get("entrypoint") or "run_tool")
    module = type(sys)("script")
    module.__file__ = str(job / "script.py")
    sys.modules["script"] = module
    os.chdir(job)
    _remember(module.__file__, source)
    exec(compile(source, module.__file__, "exec"), module.__dict__)  # noqa: S102 - this is what the sandbox is for
    entry = getattr(module, name, None)
    if not callable(entry):
        raise ContractBroken(f"The script has no function {name!r}. Write `def {name}(input_dir, output_dir):`.")
    given = {known: getattr(toolkit, known) for known in BY_NAME}
    returned = entry(str(job / "input"), str(job / "output"), **_wanted(entry, name, given))
    return _finished(returned) if inspect.isawaitable(returned) else returned


def _finished(awaitable):
    import asyncio  # only here: it would be a third of the start-up time of every other script

    async def wait():
        return await awaitable

    return asyncio.run(wait())


def _wanted(entry, name: str, given: dict) -> dict:
    parameters = list(inspect.signature(entry).parameters.values())
    kinds = inspect.Parameter
    named = [one for one in parameters if one.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)]
    positional = [one for one in parameters if one.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)]
    unknown = [
        one.name
        for one in parameters
        if one not in positional[:2]
        and one.name not in BY_NAME
        and one.default is kinds.empty
        and one.kind not in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD)
    ]
    if unknown:
        known = ", ".join(BY_NAME)
        raise ContractBroken(f"{name} asks for {', '.join(unknown)}; besides the two folders it may ask for {known}.")
    return {one.name: given[one.name] for one in named if one.name in given and one not in positional[:2]}


def _answer(returned) -> dict:
    empty = {"outputs": [], "next_actions": [], "state": None}
    if returned is None:
        return empty
    if isinstance(returned, str):
        return {**empty, "outputs": [{"kind": "html", "html": returned}]}
    if isinstance(returned, (list, tuple)):
        return {**empty, "outputs": list(returned)}
    if isinstance(returned, dict):
        if "kind" in returned:
            return {**empty, "outputs": [returned]}
        return {known: returned.get(known, default) for known, default in empty.items()}
    raise ContractBroken(
        f"The script returned {type(returned).__name__}; return None, a text, a dict or toolkit blocks."
    )


def _describe(caught: BaseException) -> dict:
    message = str(caught)
    if isinstance(caught, SyntaxError):
        message = f"{caught.msg} (line {caught.lineno}, column {caught.offset}): {(caught.text or '').strip()}"
    described = {"type": type(caught).__name__, "message": message[:MAX_MESSAGE]}
    number = getattr(caught, "errno", None)
    return {**described, "errno": number} if isinstance(number, int) else described


def _remember(name: str, source: str) -> None:
    # A traceback shows its code lines from here, also for a script that changed the working folder.
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)


def _plain(value: object) -> object:
    for shape in (int, float, str):
        if isinstance(value, shape):
            return shape(value)
    tolist = getattr(value, "tolist", None)
    return tolist() if callable(tolist) else str(value)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            continue


def _as_text(result: dict) -> tuple[str, bool]:
    try:
        return json.dumps(result, default=_plain), True
    except (TypeError, ValueError, RecursionError) as caught:
        traceback.print_exc()
        broken = {"type": "ContractBroken", "message": f"The answer cannot be written as JSON: {caught}"[:MAX_MESSAGE]}
        return json.dumps({"contract": CONTRACT, "status": "error", "error": broken, "outputs": []}), False


def _write(job: Path, text: str) -> bool:
    target, draft = job / "result.json", job / f".result-{os.getpid()}"
    try:
        with open(draft, "x", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(draft, target)
    except OSError:
        traceback.print_exc()
        return False
    return True


if __name__ == "__main__":
    code = main()
    _flush()
    # Threads and atexit handlers of the script may not hold the run up once its answer is written.
    os._exit(code)
