"""Every way to sign in against every state of the account: only the active get in, and nobody learns why not."""

import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.adapters.crypto.webauthn_ceremony import WebauthnCeremony
from au_sys_identity.adapters.memory.authenticator import SoftwareAuthenticator
from au_sys_identity.adapters.memory.clock import TurnedClock
from au_sys_identity.adapters.memory.notices import KeptPost
from au_sys_identity.adapters.memory.proofs.credentials import PlainHasher
from au_sys_identity.adapters.memory.unit_of_work import MemoryTransactions
from au_sys_identity.core.accounts.magic_links import MagicLinks, MagicRules
from au_sys_identity.core.accounts.step_up import strongest
from au_sys_identity.core.credentials.lockout import Lockout
from au_sys_identity.core.credentials.models import PasswordRecord
from au_sys_identity.core.errors import BadCredentials, BadToken, MfaRequired
from au_sys_identity.core.factors.asserting import PasskeyCheck
from au_sys_identity.core.factors.challenges import PasskeyChallenges
from au_sys_identity.core.factors.checking import FactorCheck
from au_sys_identity.core.factors.enrolment import Enrolment
from au_sys_identity.core.factors.models import Method
from au_sys_identity.core.factors.passkeys import Passkeys
from au_sys_identity.core.factors.totp import code_at, step_of
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.notices.sending import Delivery, LinkTimes
from au_sys_identity.core.notices.writing import LetterBox
from au_sys_identity.core.sessions.entering import Entering
from au_sys_identity.core.sessions.models import Client, SessionId, SessionTimes, Strength
from au_sys_identity.core.sessions.opening import Opened
from au_sys_identity.core.sessions.passkey_sign_in import PasskeySignIn
from au_sys_identity.core.sessions.sign_in import SignIn
from au_sys_identity.core.subjects.models import Person, Status, SubjectId

PASSWORD = "correct horse battery staple"
HOME = Client("192.0.2.1", "192.0.2.0/24", "browser/1", device_token="known", flow="flow")
SIGN = Callable[[], Awaitable[Opened]]


class House:
    """All ways in, on one set of stores."""

    def __init__(self, transactions: MemoryTransactions, clock: TurnedClock) -> None:
        self.transactions = transactions
        self.clock = clock
        keys, times = RootKey(bytes(range(32))), SessionTimes()
        check = PasskeyCheck(
            WebauthnCeremony("platform.test", "Platform", "https://platform.test"), PasskeyChallenges(keys)
        )
        factors, letters = FactorCheck(keys, keys, check), LetterBox(keys, keys)
        self.post = KeptPost()
        self.hasher = PlainHasher()
        self.sign_in = SignIn(transactions, self.hasher, keys, factors, clock, lockout=Lockout(), times=times)
        self.passkey_sign_in = PasskeySignIn(transactions, check, keys, clock, times=times)
        self.links = MagicLinks(transactions, letters, clock, times=times, rules=MagicRules())
        self.entering = Entering(clock, times=times)
        self.enrolment = Enrolment(transactions, keys, factors, letters, clock, issuer="Platform")
        self.passkeys = Passkeys(transactions, check.ceremony, check.challenges, letters, clock)
        self.delivery = Delivery(
            transactions, letters, self.post, clock, public_url="https://platform.test", times=LinkTimes()
        )
        self.device = SoftwareAuthenticator("https://platform.test")
        self.person: Person

    async def build(self) -> None:
        now = self.clock()
        self.person = Person(SubjectId(uuid7()), "ann@example.org", "ann@example.org", "Ann", "active", now, now)
        async with self.transactions.writing() as unit:
            await unit.subjects.add(self.person)
            await unit.credentials.set_password(PasswordRecord(self.person.id, await self.hasher.hash(PASSWORD), now))

    async def become(self, status: Status) -> None:
        async with self.transactions.writing() as unit:
            await unit.subjects.save(replace(self.person, status=status, version=2), expected_version=1)

    async def app(self) -> tuple[bytes, list[str]]:
        """Enrol an authenticator app: its secret, and recovery codes."""
        begun = await self.enrolment.begin_totp(self.person)
        secret = base64.b32decode(begun.secret)
        codes = await self.enrolment.confirm_totp(self.person, code_at(secret, step_of(self.clock()) - 1))
        return secret, codes

    async def register_passkey(self) -> None:
        session = SessionId(uuid7())
        made = self.device.create(await self.passkeys.options(self.person, session))
        await self.passkeys.register(self.person, session, json.dumps(made), "Phone")

    async def second(self, method: Method, code: str) -> SIGN:
        with pytest.raises(MfaRequired) as due:
            await self.by_password()
        token = due.value.mfa_token
        return lambda: self.sign_in.with_second_factor(token, method, code, client=HOME, kind="web")

    async def by_password(self) -> Opened:
        return await self.sign_in.with_password("ann@example.org", PASSWORD, client=HOME, kind="web")

    async def entered(self, method: str, strength: Strength) -> Opened:
        async with self.transactions.writing() as unit:
            entrance = await self.entering.enter(
                unit, self.person.id, method=method, strength=strength, client=HOME, kind="web"
            )
        return entrance.session()


async def _password(house: House) -> SIGN:
    return house.by_password


async def _totp(house: House) -> SIGN:
    secret, _ = await house.app()
    return await house.second("totp", code_at(secret, step_of(house.clock())))


async def _recovery(house: House) -> SIGN:
    _, codes = await house.app()
    return await house.second("recovery_code", codes[0])


async def _passkey(house: House) -> SIGN:
    await house.register_passkey()
    answer = json.dumps(house.device.get(await house.passkey_sign_in.options(None, "flow")))
    return lambda: house.passkey_sign_in.sign_in(answer, client=HOME, kind="web")


async def _password_and_passkey(house: House) -> SIGN:
    await house.register_passkey()
    answer = json.dumps(house.device.get(await house.passkey_sign_in.options_to_confirm(house.person.id, "flow")))
    return await house.second("passkey", answer)


async def _magic(house: House) -> SIGN:
    await house.links.ask("ann@example.org", flow="flow", client=HOME)
    await house.delivery.run()
    token = house.post.letters[-1].link.partition("#token=")[2]
    return lambda: house.links.sign_in(token, flow="flow", confirmed=False, client=HOME, kind="web")


async def _directory(house: House) -> SIGN:
    return lambda: house.entered("ldap", "password")


async def _outside(house: House) -> SIGN:
    return lambda: house.entered("oidc", "multi")


WAYS: dict[str, tuple[Callable[[House], Awaitable[SIGN]], Strength]] = {
    "password": (_password, "password"),
    "password and app": (_totp, "multi"),
    "password and recovery code": (_recovery, "multi"),
    "passkey": (_passkey, "phishing_resistant"),
    "password and passkey": (_password_and_passkey, "phishing_resistant"),
    "magic link": (_magic, "mail"),
    "directory": (_directory, "password"),
    "outside login": (_outside, "multi"),
}


@pytest.mark.parametrize("status", ["pending", "active", "disabled", "closed"])
@pytest.mark.parametrize("way", WAYS)
async def test_only_the_active_get_in(
    transactions: MemoryTransactions, clock: TurnedClock, way: str, status: Status
) -> None:
    """Everything but the last step is done while the account is active; then it turns into what it is."""
    house = House(transactions, clock)
    await house.build()
    prepare, strength = WAYS[way]
    sign = await prepare(house)
    if status != "active":
        await house.become(status)
        with pytest.raises((BadCredentials, BadToken)):
            await sign()
        return
    opened = await sign()
    assert (opened.person.id, opened.session.strength) == (house.person.id, strength)


@pytest.mark.parametrize("way", ["password", "magic link", "directory"])
async def test_a_weaker_way_asks_for_the_second_step(
    transactions: MemoryTransactions, clock: TurnedClock, way: str
) -> None:
    """With an app enrolled no way below it leads in by itself."""
    house = House(transactions, clock)
    await house.build()
    sign = await WAYS[way][0](house)
    await house.app()
    with pytest.raises(MfaRequired):
        await sign()


async def test_a_code_after_a_mail_is_no_more_than_a_password(
    transactions: MemoryTransactions, clock: TurnedClock
) -> None:
    """Mailbox and app together do not reach what password and app do."""
    house = House(transactions, clock)
    await house.build()
    secret, _ = await house.app()
    with pytest.raises(MfaRequired) as due:
        await (await _magic(house))()
    code = code_at(secret, step_of(clock()))
    opened = await house.sign_in.with_second_factor(due.value.mfa_token, "totp", code, client=HOME, kind="web")
    assert opened.session.strength == "password"
    async with transactions.reading() as unit:
        assert strongest(await unit.factors.enrolled(house.person.id)) == "multi"
