"""Run a script folder through the real contract: same sandbox, same checks, same normalising, no database."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from fastapi_services_platform import blocking
from skriptoteket.adapters.bank.folders import read_tool
from skriptoteket.core.errors import ValidationFailed
from skriptoteket.core.fields.forms import accept_form, file_fields, form_issues
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.interaction.models import fields_of
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.results.contract import Answer, OutputFile
from skriptoteket.core.results.normalization import normalize
from skriptoteket.core.runs.inputs import HEAD_BYTES, Upload, file_issues, unique_names
from skriptoteket.core.runs.queueing.admission import AdmissionRules
from skriptoteket.core.runs.sandbox import Exited, Printed, RunSpec, Sandbox, SandboxHandle
from skriptoteket.core.versions.behaviour import checked
from skriptoteket.core.versions.models import Behaviour


@dataclass(frozen=True, slots=True)
class Tried:
    """What came out. ``shown`` is JSON for a person; ``files`` are the output files by path."""

    answer: Answer
    stdout: str
    stderr: str
    exited: Exited | None
    files: dict[str, bytes]

    @property
    def succeeded(self) -> bool:
        """Whether the script answered with a result."""
        return self.answer.status == "ok"

    @property
    def shown(self) -> dict[str, JsonValue]:
        """The outcome in JSON."""
        names: list[JsonValue] = list(self.files)
        return {
            "status": self.answer.status,
            "refusal": self.answer.refusal,
            "problem": self.answer.problem,
            "outputs": list(self.answer.outputs),
            "next_actions": list(self.answer.next_actions),
            "files": names,
            "stdout": self.stdout,
            "stderr": self.stderr,
        }


@dataclass(frozen=True, slots=True)
class _LocalInput:
    name: str
    content: bytes

    @property
    def size(self) -> int:
        return len(self.content)

    async def read(self) -> AsyncIterator[bytes]:
        yield self.content


async def try_script(
    sandbox: Sandbox, folder: Path, files: Sequence[str], values: Sequence[str], output: Path | None = None
) -> Tried:
    """Run the tool in a folder.

    Raises:
        ValueError: tool.toml is wrong, or an argument is no ``NAME=VALUE``.
        ValidationFailed: files or values do not fit the tool's form.
    """
    behaviour = await _behaviour(folder)
    given = [await blocking(_read_input, behaviour, text) for text in files]
    texts = dict(_pair(text) for text in values)
    accepted, issues = form_issues(behaviour.input_schema, texts)
    uploads = [
        Upload(field, path.name, len(content), hashlib.sha256(content).hexdigest(), "", content[:HEAD_BYTES])
        for field, path, content in given
    ]
    issues = (*issues, *file_issues(behaviour.input_schema, uploads))
    if issues:
        raise ValidationFailed(issues)
    names = unique_names([path.name for _, path, _ in given])
    inputs = tuple(_LocalInput(name, content) for name, (_, _, content) in zip(names, given, strict=True))
    spec = _spec(behaviour, uploads, names, inputs, {"inputs": accepted})
    tried = await _run(sandbox, spec)
    if output is not None:
        await blocking(_keep, output, tried.files)
    return tried


async def try_step(sandbox: Sandbox, folder: Path, before: Tried, action_id: str, **values: JsonValue) -> Tried:
    """Go on from an answer with one of the actions that it offered.

    Raises:
        ValueError: tool.toml is wrong, or the action was not offered.
        ValidationFailed: the values do not fit the action's form.
    """
    offered = next((each for each in before.answer.next_actions if each["action_id"] == action_id), None)
    if offered is None:
        raise ValueError(f"the tool did not offer {action_id!r}")
    behaviour = await _behaviour(folder)
    given: dict[str, JsonValue] = dict(accept_form(fields_of(offered), values))
    step: JsonValue = {"action_id": action_id, "input": given}
    return await _run(sandbox, _spec(behaviour, (), (), (), {"action": step, "state": before.answer.state}))


async def _behaviour(folder: Path) -> Behaviour:
    wanted = (await blocking(read_tool, folder)).behaviour
    return checked(Behaviour(source_code=""), wanted, (str(wanted.get("environment", "standard@1")),))


def _spec(
    behaviour: Behaviour,
    uploads: Sequence[Upload],
    names: Sequence[str],
    inputs: tuple[_LocalInput, ...],
    told: dict[str, JsonValue],
) -> RunSpec:
    run_id = RunId(uuid4())
    listed: list[JsonValue] = [
        {
            "field": upload.field,
            "name": name,
            "original_name": upload.original_name,
            "path": f"/job/input/{name}",
            "bytes": upload.size,
            "sha256": upload.sha256,
        }
        for upload, name in zip(uploads, names, strict=True)
    ]
    request: dict[str, JsonValue] = {
        "contract": behaviour.contract,
        "run_id": str(run_id),
        "entrypoint": behaviour.entrypoint,
        "locale": "en",
        "timezone": "Europe/Stockholm",
        "files": listed,
        "inputs": {},
        "settings": {},
        "action": None,
        "state": {},
        "limits": {},
        **told,
    }
    limits = AdmissionRules().limits(behaviour.limits)
    return RunSpec(
        run_id, 1, behaviour.environment, behaviour.source_code, behaviour.entrypoint, request, inputs, limits
    )


async def _run(sandbox: Sandbox, spec: RunSpec) -> Tried:
    handle = await sandbox.start(spec)
    try:
        printed: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
        exited: Exited | None = None
        async for event in sandbox.events(handle):
            if isinstance(event, Printed):
                printed[event.stream] += event.data
            elif isinstance(event, Exited):
                exited = event
        raw = await sandbox.result(handle)
        files = await _files(sandbox, handle)
        sizes = [OutputFile(path, len(content)) for path, content in files.items()]
        answer = await blocking(normalize, raw, sizes)
        out, err = (bytes(printed[name]).decode("utf-8", "replace") for name in ("stdout", "stderr"))
        return Tried(answer, out, err, exited, files)
    finally:
        await sandbox.destroy(handle)


async def _files(sandbox: Sandbox, handle: SandboxHandle) -> dict[str, bytes]:
    return {file.path: b"".join([piece async for piece in file.read()]) async for file in sandbox.artifacts(handle)}


def _read_input(behaviour: Behaviour, text: str) -> tuple[str, Path, bytes]:
    name, separator, path = text.partition("=")
    if not separator:
        fields = file_fields(behaviour.input_schema)
        name, path = (str(fields[0]["name"]) if fields else "file"), text
    return name, Path(path), Path(path).read_bytes()


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise ValueError(f"{text!r} is no NAME=VALUE")
    return name, value


def _keep(output: Path, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        target = output / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
