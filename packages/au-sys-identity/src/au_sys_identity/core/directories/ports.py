"""Where directory people, outside logins and runs are kept, and what a directory can be asked."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from au_sys_identity.core.directories.models import (
    Directory,
    Entry,
    KnownEntry,
    LinkedLogin,
    OutsideIdentity,
    SyncRun,
)
from au_sys_identity.core.directories.providers import Flow, Provider, ProviderAnswer
from au_sys_identity.core.subjects.models import SubjectId


class DirectorySource(Protocol):
    """Asks directories. Nothing of an answer is kept.

    Raises:
        DirectoryUnreachable: every server is down, slow, or not who it should be.
    """

    def check(self, directory: Directory) -> None:
        """Refuse what could never be asked.

        Raises:
            InvalidInput: the filter is none.
        """

    async def authenticate(self, directory: Directory, login: str, password: str) -> Entry | None:
        """The entry whose password this is; an unknown login costs the same as a wrong password."""

    async def takes(self, directory: Directory, dn: str, password: str) -> bool:
        """Whether the entry's password is this one."""

    async def has_left(self, directory: Directory, login: str) -> bool:
        """Whether nobody who counts has this login there."""

    def people(self, directory: Directory) -> AsyncIterator[Sequence[Entry]]:
        """Everybody who counts, page by page."""

    async def probe(self, directory: Directory) -> int:
        """How many people of a first page there are: the servers, the account and the filter work."""


class FederatedLogin(Protocol):
    """Talks to outside providers.

    Raises:
        ProviderUnreachable: it does not answer, or not as its standard says.
    """

    async def address(self, provider: Provider, flow: Flow) -> str:
        """Where the browser goes to sign in there."""

    async def identity(self, provider: Provider, flow: Flow, answer: ProviderAnswer) -> OutsideIdentity:
        """Who the provider says somebody is.

        Raises:
            BadToken: what it says is not meant for us, not for this flow, or not signed as it should be.
            BadCredentials: it refuses the code.
        """

    async def probe(self, provider: Provider) -> str:
        """The address where browsers would be sent: discovery and keys work."""


class DirectoryEntryStore(Protocol):
    """Which account an entry became."""

    async def find(self, directory: str, external_id: str) -> KnownEntry | None: ...

    async def keep(self, entry: KnownEntry) -> None:
        """Add it, or replace the one with its ids."""

    async def of_directory(self, directory: str) -> list[KnownEntry]: ...

    async def of_subject(self, subject_id: SubjectId) -> list[KnownEntry]: ...


class LinkedLoginStore(Protocol):
    """Which account an outside login leads to."""

    async def find(self, issuer: str, external_id: str) -> LinkedLogin | None: ...

    async def add(self, login: LinkedLogin) -> None:
        """Keep a login.

        Raises:
            Conflict: it leads to an account already.
        """

    async def of_subject(self, subject_id: SubjectId) -> list[LinkedLogin]: ...

    async def used(self, login_id: UUID, *, at: datetime) -> None: ...

    async def remove(self, login_id: UUID) -> None: ...

    async def remove_all(self, subject_id: SubjectId) -> None: ...


class SyncRunStore(Protocol):
    """Runs with their reports."""

    async def begin(self, run: SyncRun) -> None:
        """Keep a run under way.

        Raises:
            SyncRunning: another one of that source is.
        """

    async def save(self, run: SyncRun) -> None: ...

    async def beat(self, run_id: UUID, *, at: datetime) -> None:
        """Say that the run is alive."""

    async def abandon_silent(self, source: str, *, before: datetime) -> None:
        """End runs whose process died."""

    async def get(self, run_id: UUID) -> SyncRun | None: ...

    async def newest(self, source: str | None, limit: int) -> list[SyncRun]: ...
