"""What any store of invitations and notices must do."""

from datetime import UTC, datetime, timedelta

from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.invitations.models import Invitation
from au_sys_identity.core.notices.models import InAppNotice
from au_sys_identity.core.organizations.models import DEFAULT_ORGANIZATION
from au_sys_identity.core.ports import Transactions
from au_sys_identity.core.subjects.models import Person, SubjectId

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(days=7)


def _invitation(email: str) -> Invitation:
    return Invitation(uuid7(), DEFAULT_ORGANIZATION, email, email, "helpdesk", "urn:au:user:x", NOW, LATER)


class InvitationStoreConformance:
    """Invitations and notices."""

    async def test_an_invitation_is_decided_once(self, transactions: Transactions) -> None:
        """Found by the hash of its secret; accepted or revoked once, and a later one revokes what is open."""
        first, second = _invitation("invited@example.org"), _invitation("invited@example.org")
        async with transactions.writing() as unit:
            await unit.invitations.add(first)
            await unit.invitations.give_token(first.id, b"t" * 32)
            found = await unit.invitations.by_token(b"t" * 32)
            assert (found and found.id, await unit.invitations.by_token(b"x" * 32)) == (first.id, None)
            await unit.invitations.add(second)
            old = await unit.invitations.get(first.id)
            assert (old and old.state(NOW), second.state(NOW), second.state(LATER)) == ("revoked", "open", "expired")
            assert not await unit.invitations.accept(first.id, at=NOW)
            assert await unit.invitations.accept(second.id, at=NOW)
            assert not await unit.invitations.accept(second.id, at=NOW)
            assert not await unit.invitations.revoke(second.id, at=NOW)

    async def test_invitations_are_listed_newest_first(self, transactions: Transactions) -> None:
        """A page at a time; those that ran out long ago are forgotten."""
        made = [_invitation(f"listed-{number}@example.org") for number in range(3)]
        async with transactions.writing() as unit:
            for invitation in made:
                await unit.invitations.add(invitation)
            page = await unit.invitations.of_organization(DEFAULT_ORGANIZATION, before=None, limit=2)
            assert [found.id for found in page] == [made[2].id, made[1].id]
            rest = await unit.invitations.of_organization(DEFAULT_ORGANIZATION, before=made[1].id, limit=1)
            assert [found.id for found in rest] == [made[0].id]
            await unit.invitations.forget_before(LATER + timedelta(days=1))
            assert await unit.invitations.get(made[0].id) is None

    async def test_a_notice_is_kept_once_and_read_by_its_person(self, transactions: Transactions) -> None:
        """Newest first; somebody else's is neither seen nor read."""
        ann = Person(SubjectId(uuid7()), "told@example.org", "told@example.org", "Ann", "active", NOW, NOW)
        older = InAppNotice(uuid7(), ann.id, "hub", b"sealed", NOW)
        newer = InAppNotice(uuid7(), ann.id, "hub", b"sealed", LATER)
        async with transactions.writing() as unit:
            await unit.subjects.add(ann)
            assert [await unit.notices.add(one) for one in (older, newer, older)] == [True, True, False]
            assert await unit.notices.of_subject(ann.id, before=None, limit=5) == [newer, older]
            assert await unit.notices.of_subject(ann.id, before=newer.id, limit=5) == [older]
            assert not await unit.notices.read(SubjectId(uuid7()), older.id, at=LATER)
            assert await unit.notices.read(ann.id, older.id, at=LATER)
            assert await unit.notices.read(ann.id, older.id, at=LATER + timedelta(days=1))
            read = await unit.notices.of_subject(ann.id, before=newer.id, limit=5)
            assert ([one.read_at for one in read], await unit.notices.unread(ann.id)) == ([LATER], 1)
            await unit.notices.forget_before(LATER)
            assert await unit.notices.of_subject(ann.id, before=None, limit=5) == [newer]
