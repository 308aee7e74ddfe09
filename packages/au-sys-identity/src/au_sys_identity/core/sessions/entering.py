"""Let somebody in who proved themselves elsewhere: to a directory, or to an outside login provider.

What the account has enrolled here is asked for as well, unless the proof was as strong already.
"""

from dataclasses import dataclass
from datetime import timedelta

from au_sys_identity.core.derivation import digest, new_secret
from au_sys_identity.core.errors import BadCredentials, MfaRequired
from au_sys_identity.core.events import Fact
from au_sys_identity.core.factors.models import Challenge
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.ports import Clock, UnitOfWork
from au_sys_identity.core.sessions.models import Client, SessionKind, SessionTimes, Strength
from au_sys_identity.core.sessions.opening import Opened, Proof, open_session
from au_sys_identity.core.subjects.models import SubjectId

_CHALLENGE_LIFE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Entrance:
    """A session, or the second step that has to come first."""

    opened: Opened | None
    second: MfaRequired | None = None

    def session(self) -> Opened:
        """The session; asked for after the transaction, so that a second step that is due is kept.

        Raises:
            MfaRequired: the second step comes first.
        """
        if self.opened is None:
            raise self.second or BadCredentials()
        return self.opened


class Entering:
    """Opens sessions inside the transaction that settled who somebody is."""

    def __init__(self, clock: Clock, *, times: SessionTimes) -> None:
        self._clock = clock
        self._times = times

    async def enter(
        self,
        unit: UnitOfWork,
        subject_id: SubjectId,
        *,
        method: str,
        strength: Strength,
        client: Client,
        kind: SessionKind,
    ) -> Entrance:
        """Let an active person in.

        Raises:
            BadCredentials: the account is not active.
        """
        now = self._clock()
        person = await unit.subjects.get(subject_id)
        if person is None or not person.active:
            raise BadCredentials
        methods = (await unit.factors.enrolled(person.id)).methods
        if methods and strength not in ("multi", "phishing_resistant"):
            token = new_secret()
            await unit.factors.add_challenge(Challenge(uuid7(), person.id, digest(token), now + _CHALLENGE_LIFE))
            return Entrance(None, MfaRequired(token, methods))
        proof = Proof(kind, strength, (method,))
        opened = await open_session(unit, person, proof, client=client, times=self._times, now=now)
        details: dict[str, str | int | bool | None] = {"method": method}
        unit.record(Fact("session.started", person.urn, f"urn:au:session:{opened.session.id}", details=details))
        return Entrance(opened)
