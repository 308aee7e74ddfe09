"""Show, hide, address."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from skriptoteket.adapters.platform.time_and_ids import TimeOrderedIds
from skriptoteket.core.catalog.curation import Curation, ToolTexts
from skriptoteket.core.catalog.models import slug_of
from skriptoteket.core.errors import Conflict, Forbidden, NotFound, ValidationFailed
from skriptoteket.core.identifiers import RunId, VersionId
from skriptoteket.core.roles import Actor
from skriptoteket.core.runs.models import Lane, Run, RunContext, RunKind, RunState
from skriptoteket.core.versions.bank.taxonomy import install_taxonomy
from skriptoteket.core.versions.hashing import behaviour_hash, content_hash
from skriptoteket.core.versions.models import Behaviour, ToolVersion, VersionState

TAGS: dict[str, Any] = {"professions": ("larare",), "categories": ("ovrigt",)}


@pytest.fixture
async def curation(work: Any, clock: Any) -> Curation:
    """The verbs over each kind of store, with the taxonomy in place."""
    await install_taxonomy(work)
    return Curation(work, clock, TimeOrderedIds())


async def activated(work: Any, clock: Any, tool: Any) -> None:
    """Give the tool an active version."""
    behaviour = Behaviour("x = 1\n")
    version_id = VersionId(TimeOrderedIds().new())
    hashes = content_hash(behaviour), behaviour_hash(behaviour)
    async with work.write() as unit:
        await unit.versions.add(
            ToolVersion(version_id, tool.id, 1, VersionState.ACTIVE, behaviour, *hashes, "urn:o", clock.now())
        )
        await unit.tools.update(replace(tool, active_version_id=version_id))


async def test_showing_tells_all_that_is_missing(curation: Curation, people: dict[str, Actor]) -> None:
    """Version, address, profession and category, together."""
    tool = await curation.create(people["reviewer"], ToolTexts(title="Counter"))
    with pytest.raises(ValidationFailed) as refused:
        await curation.show(people["reviewer"], tool.id)
    assert [each.field for each in refused.value.issues] == ["active_version_id", "slug", "professions", "categories"]


async def test_an_address_that_was_public_is_kept(
    curation: Curation, work: Any, clock: Any, people: dict[str, Actor]
) -> None:
    """The old one leads to the tool and is given to nobody else."""
    who = people["reviewer"]
    tool = await curation.create(who, ToolTexts(title="Counter", slug="counter", **TAGS))
    await activated(work, clock, tool)
    for _ in range(2):
        assert (await curation.show(who, tool.id)).is_visible
    await curation.edit(who, tool.id, ToolTexts(slug="row-counter"))
    async with work.read() as unit:
        assert tool.id == (await unit.tools.by_slug("counter")).id
    with pytest.raises(Conflict) as refused:
        await curation.create(who, ToolTexts(title="Other", slug="counter"))
    assert refused.value.reason == "slug_taken"
    assert (await curation.edit(who, tool.id, ToolTexts(slug="counter"))).slug == "counter"


async def test_hiding_is_idempotent_and_keeps_everything(
    curation: Curation, work: Any, clock: Any, people: dict[str, Actor]
) -> None:
    """Hidden twice; the version, the tags and the day it was first shown stay."""
    who = people["reviewer"]
    tool = await curation.create(who, ToolTexts(title="Counter", slug="counter", **TAGS))
    await activated(work, clock, tool)
    shown = await curation.show(who, tool.id)
    clock.pass_(days=1)
    hidden = [await curation.hide(who, tool.id) for _ in range(2)][-1]
    assert (False, shown.first_shown_at, shown.active_version_id, ("larare",)) == (
        hidden.is_visible,
        hidden.first_shown_at,
        hidden.active_version_id,
        hidden.professions,
    )


@pytest.mark.parametrize(
    ("texts", "field"),
    [
        (ToolTexts(slug="not a slug"), "slug"),
        (ToolTexts(slug="two--hyphens"), "slug"),
        (ToolTexts(slug="a" * 129), "slug"),
        (ToolTexts(slug="01a20132-1877-7329-a7a0-d0168a1594ce"), "slug"),
        (ToolTexts(title=" "), "title"),
        (ToolTexts(summary="x" * 2001), "summary"),
        (ToolTexts(professions=("astronaut",)), "professions"),
        (ToolTexts(categories=("ovrigt", "ovrigt")), "categories"),
        (ToolTexts(max_parallel=0), "max_parallel"),
    ],
)
async def test_wrong_texts_change_nothing(
    curation: Curation, people: dict[str, Actor], texts: ToolTexts, field: str
) -> None:
    """The field is named; the tool stays as it was."""
    tool = await curation.create(people["reviewer"], ToolTexts(title="Counter"))
    with pytest.raises(ValidationFailed) as refused:
        await curation.edit(people["reviewer"], tool.id, texts)
    assert [field] == [issue.field for issue in refused.value.issues]
    assert [tool] == await curation.tools(people["reviewer"])


async def test_only_curators(curation: Curation, people: dict[str, Actor]) -> None:
    """For authors the pages of curators do not exist."""
    with pytest.raises(NotFound):
        await curation.create(people["author"], ToolTexts(title="Counter"))


async def test_maintainers_edit_until_it_was_shown(
    curation: Curation, work: Any, clock: Any, people: dict[str, Actor]
) -> None:
    """Address, texts and tags; never how many run at once; from the first showing on only curators, also when it is
    hidden again; strangers find no tool."""
    who, author = people["reviewer"], people["author"]
    tool = await curation.create(who, ToolTexts(title="Counter"))
    with pytest.raises(NotFound):
        await curation.edit(author, tool.id, ToolTexts(title="Mine"))
    async with work.write() as unit:
        await unit.tools.add_maintainer(tool.id, author.subject)
    edited = await curation.edit(author, tool.id, ToolTexts(slug=" Row-Counter ", title="Row counter", **TAGS))
    assert (edited.slug, edited.title, edited.professions) == ("row-counter", "Row counter", ("larare",))
    with pytest.raises(Forbidden):
        await curation.edit(author, tool.id, ToolTexts(max_parallel=2))
    await activated(work, clock, edited)
    await curation.show(who, tool.id)
    await curation.hide(who, tool.id)
    with pytest.raises(Forbidden, match="Ask one of them"):
        await curation.edit(author, tool.id, ToolTexts(title="Mine"))
    assert (await curation.edit(who, tool.id, ToolTexts(title="Ours"))).title == "Ours"


async def test_hiding_cancels_what_waits(curation: Curation, work: Any, clock: Any, people: dict[str, Actor]) -> None:
    """Waiting runs of users end with the reason; trials of authors go on."""
    tool = await curation.create(people["reviewer"], ToolTexts(title="Counter", slug="counter", **TAGS))
    await activated(work, clock, tool)
    await curation.show(people["reviewer"], tool.id)
    now, ids = clock.now(), TimeOrderedIds()
    runs = {
        kind: Run(
            RunId(ids.new()), kind, context, Lane.INTERACTIVE, RunState.QUEUED, tool.id, None, None, "h", "urn:a", now,
            "standard@1", queue_deadline=now + timedelta(minutes=15),
        )
        for kind, context in (
            (RunKind.PRODUCTION, RunContext.PRODUCTION), (RunKind.ACTION, RunContext.PRODUCTION),
            (RunKind.SCHEDULED, RunContext.PRODUCTION), (RunKind.SANDBOX, RunContext.SANDBOX),
        )
    }  # fmt: skip
    async with work.write() as unit:
        for run in runs.values():
            await unit.runs.add(run)
    await curation.hide(people["reviewer"], tool.id)
    async with work.read() as unit:
        ended = {kind: (await unit.runs.get(run.id)).state for kind, run in runs.items()}
    gone, kept = RunState.CANCELLED, RunState.QUEUED
    assert ended == {
        RunKind.PRODUCTION: gone, RunKind.ACTION: gone, RunKind.SCHEDULED: gone, RunKind.SANDBOX: kept
    }  # fmt: skip


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Räkna äpplen på övning", "rakna-applen-pa-ovning"),
        ("  Ålder & namn (ny!) ", "alder-namn-ny"),
        ("例", ""),
        ("x" * 200, "x" * 128),
    ],
)
def test_an_address_is_proposed_from_the_title(title: str, slug: str) -> None:
    """å and ä become a, ö becomes o; nothing is proposed where no letter is left."""
    assert slug == slug_of(title)
