"""Play all rows against one base address, stage by stage, and clean up."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from au_sys_python_factory.errors import FactoryError
from au_sys_python_factory.gauntlet.coverage import (
    Coverage,
    measure,
    nothing_is_left_out,
    operations_of,
    public_routes,
    strangers_are_refused,
)
from au_sys_python_factory.gauntlet.pages import visit
from au_sys_python_factory.gauntlet.people import Account, Sessions, bearer, complete, make_person
from au_sys_python_factory.gauntlet.playing import Outcome, play
from au_sys_python_factory.gauntlet.proofs import Letters, Passkey
from au_sys_python_factory.gauntlet.provider import lent_provider
from au_sys_python_factory.gauntlet.report import Report, by_stage
from au_sys_python_factory.gauntlet.rows import Row
from au_sys_python_factory.gauntlet.sources import in_order, without
from au_sys_python_factory.gauntlet.variables import Variables


@dataclass(slots=True)
class Run:
    """One pass. ``tell`` gets each stage as soon as it is complete. ``letters`` is where the system's mail can be read;
    ``destructive`` rows change the whole installation; ``lends`` an outside login provider on loopback to a system that
    may call it; ``only`` leaves the rows of one owner, and no coverage. ``gaps`` are operations that no row can call
    with success here, with the reason; None: nobody says, and gaps are only counted.
    """

    base_url: str
    rows: Sequence[Row]
    admin: Account
    remove_admin: bool
    tell: Callable[[str, list[Outcome], Report], None]
    letters: Letters | None = None
    destructive: bool = False
    lends: bool = False
    only: str | None = None
    gaps: Mapping[str, str] | None = None
    identifier: str = field(default_factory=lambda: secrets.token_hex(4))
    outcomes: list[Outcome] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _secrets: set[str] = field(default_factory=set)

    async def play_all(self) -> Report:
        """Every row, the coverage, the cleaning up.

        Raises:
            CannotSignIn: its own people cannot sign in, so that nothing can be proved.
        """
        if not self.lends:
            return await self._played({})
        async with lent_provider() as provider:
            self._secrets.add(provider.client_secret)
            return await self._played(provider.known())

    async def _played(self, lent: Mapping[str, str]) -> Report:
        started = time.monotonic()
        sessions = Sessions(self.base_url, {})
        coverage = None
        try:
            await self._make_people(sessions)
            variables = Variables({**self._known(sessions), **lent}, Passkey(self.base_url))
            if self.only is None:
                await self._visit(sessions)
            ordered = in_order(self._meant_for_here())
            await self._play([row for row in ordered if not row.cleanup], sessions, variables)
            coverage = await self._cover(sessions) if self.only is None else None
            await self._play([row for row in reversed(ordered) if row.cleanup], sessions, variables)
        finally:
            await self._remove_people(sessions)
            await sessions.close()
        return self._report(time.monotonic() - started, coverage)

    def _meant_for_here(self) -> Sequence[Row]:
        """The rows without those that would change somebody's whole installation, and what needs them."""
        kept = self.rows if self.destructive else without(self.rows, lambda row: row.destructive)
        able = kept if self.lends else without(kept, lambda row: row.provider)
        if self.only is not None:
            return [row for row in able if row.owner == self.only]
        if len(kept) < len(self.rows):
            self.notes.append(f"{len(self.rows) - len(kept)} rows would change the whole installation (--destructive)")
        if len(able) < len(kept):
            self.notes.append(
                f"{len(kept) - len(able)} rows need a login provider that the run lends (--lend-provider)"
            )
        return able

    async def _make_people(self, sessions: Sessions) -> None:
        sessions.accounts["admin"] = self.admin
        try:
            await complete(sessions, self.admin)
            for who in ("person", "other"):
                sessions.accounts[who] = await make_person(sessions, who, self.identifier, self.admin)
        except httpx.HTTPError as error:
            raise FactoryError(f"no answer: {type(error).__name__} {error}", where=self.base_url) from None

    def _known(self, sessions: Sessions) -> dict[str, str]:
        known = {"run": self.identifier, "base_url": self.base_url}
        for who, account in sessions.accounts.items():
            known |= {
                f"{who}.email": account.email,
                f"{who}.password": account.password,
                f"{who}.id": account.id,
                f"{who}.token": account.access_token,
                f"{who}.refresh": account.refresh_token,
            }
            self._secrets |= {account.password, account.access_token, account.refresh_token}
        return known

    async def _play(self, rows: Sequence[Row], sessions: Sessions, variables: Variables) -> None:
        played: list[Outcome] = []
        for row in rows:
            missing = self._unmet(row, played)
            if missing:
                played.append(Outcome(row, "skipped", reasons=(f"needs {missing!r}, which did not pass",)))
            else:
                played.append(await play(row, sessions, variables, self.letters))
            self._secrets |= {value for name, value in variables.known.items() if _is_secret(name) and len(value) >= 12}
        self.outcomes += played
        for stage, outcomes in by_stage(played):
            self.tell(stage, outcomes, self._report(0.0, None))

    def _unmet(self, row: Row, played: Sequence[Outcome]) -> str:
        passed = {
            (item.row.owner, item.row.folder, item.row.name)
            for item in (*self.outcomes, *played)
            if item.verdict == "passed"
        }
        return next((name for name in row.needs if (row.owner, row.folder, name) not in passed), "")

    async def _visit(self, sessions: Sessions) -> None:
        try:
            visited = await visit(sessions, Path())
        except FactoryError as error:  # a platform without a sign-in page has no pages to visit
            self.notes.append(f"no page was visited: {error.sentence}")
            return
        self.outcomes += visited
        if visited:
            self.tell("boot", visited, self._report(0.0, None))

    async def _cover(self, sessions: Sessions) -> Coverage | None:
        async with sessions.plain() as client:
            document = await client.get("/openapi.json", headers=bearer(self.admin))
            discovery = await client.get("/discovery")
            if document.status_code != 200 or discovery.status_code != 200:
                self.notes.append(f"no coverage: /openapi.json answers {document.status_code}")
                return None
            operations = operations_of(document.json())
            public = public_routes(discovery.json())
            found = await strangers_are_refused(client, operations, public, Path())
        coverage = measure(operations, [*self.outcomes, *found])
        if self.gaps is not None and self.destructive and self.lends:
            found.append(nothing_is_left_out(coverage, self.gaps, Path()))
        self.outcomes += found
        if found:
            self.tell("coverage", found, self._report(0.0, None))
        return coverage

    async def _remove_people(self, sessions: Sessions) -> None:
        leaving: list[str] = [
            who for who in ("person", "other") if who in sessions.accounts and sessions.accounts[who].id
        ]
        leaving += ["admin"] if self.remove_admin and self.admin.id else []
        if not leaving:
            return
        async with sessions.plain() as client:
            for who in leaving:
                try:
                    self.admin.access_token, _ = await sessions.tokens(self.admin)
                    account = sessions.accounts[who]
                    answer = await client.delete(f"/users/{account.id}", headers=bearer(self.admin))
                except (httpx.HTTPError, FactoryError) as error:
                    self.notes.append(f"{who} could not be removed: {error}")
                    continue
                if answer.status_code not in (204, 404):
                    self.notes.append(f"{who} could not be removed: status {answer.status_code}")

    def _report(self, seconds: float, coverage: Coverage | None) -> Report:
        hidden = tuple(sorted(self._secrets - {""}, key=len, reverse=True))
        return Report(self.base_url, tuple(self.outcomes), seconds, hidden, coverage, tuple(self.notes))


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in ("token", "secret", "password", "refresh", "cookie"))
