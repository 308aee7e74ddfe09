"""What runs need of a sandbox: what it is given, what it tells while it runs, and what is taken out of it."""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from skriptoteket.core.identifiers import RunId
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.runs.models import Limits, Usage


class SandboxInput(Protocol):
    """One input file as the sandbox takes it: the name under ``input/``, its size, and its bytes."""

    @property
    def name(self) -> str: ...

    @property
    def size(self) -> int: ...

    def read(self) -> AsyncIterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class RunSpec:
    """Everything a sandbox needs for one attempt. ``request`` becomes ``request.json`` (script contract 1)."""

    run_id: RunId
    attempt: int
    environment: str
    source: str
    entrypoint: str
    request: Mapping[str, JsonValue]
    inputs: tuple[SandboxInput, ...]
    limits: Limits
    requirements: tuple[str, ...] = ()


KillReason = Literal["timeout", "cancelled", "output_limit", "out_of_memory", "disk_limit", "fenced", "drain"]


@dataclass(frozen=True, slots=True)
class Started:
    """The script was released."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A piece of stdout or stderr."""

    stream: Literal["stdout", "stderr"]
    data: bytes


@dataclass(frozen=True, slots=True)
class Progressed:
    """The script told how far it is; percent is 0–100."""

    percent: float | None
    message: str


@dataclass(frozen=True, slots=True)
class Exited:
    """Every process of the run is dead. ``reason`` is set when the sandbox or the worker ended it."""

    code: int | None
    signal: int | None
    reason: KillReason | Literal["infrastructure"] | None
    usage: Usage
    detail: str = ""


SandboxEvent = Started | Printed | Progressed | Exited


class SandboxHandle(Protocol):
    """One live sandbox."""

    @property
    def run_id(self) -> RunId: ...

    @property
    def attempt(self) -> int: ...


class CollectedFile(Protocol):
    """A regular file of the output folder, read without following anything."""

    @property
    def path(self) -> str: ...

    @property
    def size(self) -> int: ...

    def read(self) -> AsyncIterator[bytes]: ...


class Sandbox(Protocol):
    """Runs one script apart from everything else. Calls never block the loop; each has an outer deadline."""

    @property
    def name(self) -> str: ...

    async def capabilities(self) -> Mapping[str, str]:
        """What this host really isolates, by capability name: ``hard``, ``soft``, ``yes``; what is missing is
        absent."""
        ...

    async def prepare(self, limits: Limits) -> None:
        """Get ready for runs with these limits, so that the next one starts at once; a runner may have nothing to
        do."""
        ...

    async def close(self) -> None:
        """Give back what was kept ready; idempotent. Runs are ended by ``destroy``."""
        ...

    async def start(self, spec: RunSpec) -> SandboxHandle:
        """Build, put the inputs in, release the script. Raises ``SandboxFailed``."""
        ...

    def events(self, handle: SandboxHandle) -> AsyncIterator[SandboxEvent]:
        """Ends after ``Exited``."""
        ...

    async def kill(self, handle: SandboxHandle, reason: KillReason) -> None:
        """SIGKILL to everything of the run; the first reason wins."""
        ...

    async def result(self, handle: SandboxHandle) -> bytes | None:
        """``result.json`` after the exit, or ``None``. Raises ``OutputOverLimit``."""
        ...

    def artifacts(self, handle: SandboxHandle) -> AsyncIterator[CollectedFile]:
        """Output files after the exit. Raises ``OutputOverLimit`` and ``ForbiddenOutput``."""
        ...

    async def destroy(self, handle: SandboxHandle) -> None:
        """Remove everything; idempotent."""
        ...

    async def reap(self, known: Collection[RunId]) -> None:
        """Remove what runs that are not known left on the host."""
        ...


class SandboxFailed(Exception):
    """A sandbox could not be built, or one of its own steps failed; the text is for the operator."""


class OutputOverLimit(Exception):
    """result.json or the artifacts are over a cap; ``what`` says which."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what)


class ForbiddenOutput(Exception):
    """The output folder holds something that is no plain file, or a name that cannot be kept."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what)
