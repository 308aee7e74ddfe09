"""What any kind of library keeps to: nothing is changed that is not there, and what was decided stays."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.errors import Conflict, NotFound
from skriptoteket.core.governance.nominations.models import (
    GrantState,
    Nomination,
    NominationDecision,
    NominationKind,
    NominationStatus,
)
from skriptoteket.core.governance.suggestions.models import Idea, Suggestion, SuggestionStatus
from skriptoteket.core.identifiers import RunId, ToolId, VersionId
from skriptoteket.core.runs.models import Lane, Run, RunContext, RunKind, RunState
from skriptoteket.core.schedules.models import Schedule
from skriptoteket.core.versions.hashing import behaviour_hash, content_hash
from skriptoteket.core.versions.models import Behaviour, ToolVersion, VersionState

ANNA = "urn:fsp:person:anna"
BEHAVIOUR = Behaviour("x = 1\n")
HASHES = content_hash(BEHAVIOUR), behaviour_hash(BEHAVIOUR)


def rows(clock: Any) -> dict[str, Any]:
    """One row of each store that has an ``update``."""
    now, tool = clock.now(), ToolId(uuid4())
    run = Run(
        RunId(uuid4()), RunKind.PRODUCTION, RunContext.PRODUCTION, Lane.INTERACTIVE, RunState.QUEUED,
        tool, None, None, "h", ANNA, now, "standard@1",
    )  # fmt: skip
    return {
        "tools": Tool(tool, "counter", "Counter", "", ANNA, now, now),
        "versions": ToolVersion(VersionId(uuid4()), tool, 1, VersionState.DRAFT, BEHAVIOUR, *HASHES, ANNA, now),
        "suggestions": Suggestion(uuid4(), Idea("T", "D", (), ()), SuggestionStatus.PENDING, ANNA, now),
        "nominations": Nomination(
            uuid4(), NominationKind.APPOINT, ANNA, "urn:b", "Good.", NominationStatus.PENDING, now
        ),
        "schedules": Schedule(uuid4(), tool, ANNA, "0 7 * * *", "Europe/Stockholm", now),
        "runs": run,
    }


class StoreConformance:
    """Derive from it where ``work`` is the kind of library that is looked at."""

    @pytest.mark.parametrize("store", ["tools", "versions", "suggestions", "nominations", "schedules", "runs"])
    async def test_what_is_missing_is_not_updated(self, work: Any, clock: Any, store: str) -> None:
        """The row is not given back as if it had been there; what is found by its id is missing as well."""
        row = rows(clock)[store]
        async with work.write() as unit:
            with pytest.raises(NotFound):
                await getattr(unit, store).update(row)
            find = getattr(getattr(unit, store), "get", None) or getattr(unit, store).lock
            with pytest.raises(NotFound):
                await find(row.id)

    async def test_what_hangs_on_a_missing_row_is_refused(self, work: Any, clock: Any) -> None:
        """The state of a grant that nobody decided, and the time of a trial that nobody made."""
        now = clock.now()
        decision = NominationDecision(uuid4(), NominationStatus.APPROVED, "Yes.", "urn:b", now, GrantState.GRANTED)
        async with work.write() as unit:
            with pytest.raises(NotFound):
                await unit.nominations.update_decision(decision)
            with pytest.raises(NotFound):
                await unit.snapshots.prolong(uuid4(), now + timedelta(hours=1))

    async def test_the_behaviour_of_a_version_is_never_updated(self, work: Any, clock: Any) -> None:
        """State and notes are written; text, hashes, number and author stay whatever is sent."""
        found = rows(clock)
        version: ToolVersion = found["versions"]
        async with work.write() as unit:
            await unit.tools.add(found["tools"])
            await unit.versions.add(version)
        other = Behaviour("y = 2\n", entrypoint="main", usage_instructions="New.")
        changed = replace(
            version, behaviour=other, behaviour_hash="0" * 64, content_hash="0" * 64, version_number=7,
            created_by="urn:else", state=VersionState.IN_REVIEW, submit_note="Please.",
        )  # fmt: skip
        async with work.write() as unit:
            await unit.versions.update(changed)
        async with work.read() as unit:
            kept = await unit.versions.get(version.id)
        assert kept == replace(version, state=VersionState.IN_REVIEW, submit_note="Please.")

    async def test_one_active_version_and_one_under_review(self, work: Any, clock: Any) -> None:
        """A second one, and a second one with a number, is a lost race."""
        found = rows(clock)
        version: ToolVersion = found["versions"]
        async with work.write() as unit:
            await unit.tools.add(found["tools"])
            await unit.versions.add(replace(version, state=VersionState.ACTIVE))
        for number, state in ((1, VersionState.DRAFT), (2, VersionState.ACTIVE)):
            other = replace(version, id=VersionId(uuid4()), version_number=number, state=state)
            with pytest.raises(Conflict) as refused:
                async with work.write() as unit:
                    await unit.versions.add(other)
            assert refused.value.reason == "version_race"
