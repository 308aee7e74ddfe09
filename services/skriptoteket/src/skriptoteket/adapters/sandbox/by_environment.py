"""One sandbox for each environment behind the port: a run goes to the one that has its packages."""

from collections.abc import AsyncIterator, Collection, Mapping

from skriptoteket.core.identifiers import RunId
from skriptoteket.core.runs.models import Limits
from skriptoteket.core.runs.sandbox import (
    CollectedFile,
    KillReason,
    RunSpec,
    Sandbox,
    SandboxEvent,
    SandboxFailed,
    SandboxHandle,
)


class EnvironmentSandboxes:
    """Sandboxes of one kind, by the environment that scripts find in them."""

    def __init__(self, sandboxes: Mapping[str, Sandbox]) -> None:
        self._sandboxes = dict(sandboxes)
        self.first = next(iter(self._sandboxes.values()))
        self._used: dict[tuple[RunId, int], Sandbox] = {}

    @property
    def name(self) -> str:
        """The kind."""
        return self.first.name

    async def capabilities(self) -> Mapping[str, str]:
        """Of the kind, on this host."""
        return await self.first.capabilities()

    async def prepare(self, limits: Limits) -> None:
        """Get every environment ready."""
        for sandbox in self._sandboxes.values():
            await sandbox.prepare(limits)

    async def close(self) -> None:
        """Give back what was kept ready."""
        for sandbox in self._sandboxes.values():
            await sandbox.close()

    async def start(self, spec: RunSpec) -> SandboxHandle:
        """Start in the sandbox that has the run's environment.

        Raises:
            SandboxFailed: there is none, or it failed.
        """
        sandbox = self._sandboxes.get(spec.environment)
        if sandbox is None:
            raise SandboxFailed(f"this host has no environment {spec.environment}")
        handle = await sandbox.start(spec)
        self._used[(spec.run_id, spec.attempt)] = sandbox
        return handle

    def events(self, handle: SandboxHandle) -> AsyncIterator[SandboxEvent]:
        """See the port."""
        return self._of(handle).events(handle)

    async def kill(self, handle: SandboxHandle, reason: KillReason) -> None:
        """See the port."""
        await self._of(handle).kill(handle, reason)

    async def result(self, handle: SandboxHandle) -> bytes | None:
        """See the port."""
        return await self._of(handle).result(handle)

    def artifacts(self, handle: SandboxHandle) -> AsyncIterator[CollectedFile]:
        """See the port."""
        return self._of(handle).artifacts(handle)

    async def destroy(self, handle: SandboxHandle) -> None:
        """See the port."""
        sandbox = self._used.pop((handle.run_id, handle.attempt), None)
        if sandbox is not None:
            await sandbox.destroy(handle)

    async def reap(self, known: Collection[RunId]) -> None:
        """See the port."""
        for sandbox in self._sandboxes.values():
            await sandbox.reap(known)

    def _of(self, handle: SandboxHandle) -> Sandbox:
        return self._used[(handle.run_id, handle.attempt)]
