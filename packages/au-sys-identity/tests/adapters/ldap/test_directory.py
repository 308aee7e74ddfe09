"""Against a real local slapd: who is let in, and over what."""

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from au_sys_identity.adapters.ldap.directory import LdapDirectories
from au_sys_identity.conformance.slapd import GROUPS, PEOPLE, Slapd
from au_sys_identity.core.directories.errors import DirectoryUnreachable
from au_sys_identity.core.directories.models import Directory
from au_sys_identity.core.errors import InvalidInput

pytestmark = pytest.mark.needs_slapd
PASSWORD = "a password in the directory"


@pytest.fixture
def ann(slapd: Slapd) -> str:
    dn = slapd.person("ann", "Ann Åkesson", PASSWORD)
    slapd.group("admins", dn)
    return dn


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and says nothing."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(8)
        yield f"127.0.0.1:{listening.getsockname()[1]}"


async def test_the_right_password_gives_the_entry(directory: Directory, ann: str) -> None:
    """Attributes are mapped, umlauts come through, memberOf gives the mapped role and no other."""
    entry = await LdapDirectories().authenticate(directory, "ann@example.org", PASSWORD)
    assert entry is not None
    assert (entry.dn, entry.email, entry.display_name) == (ann, "ann@example.org", "Ann Åkesson")
    assert (entry.locale, entry.roles) == ("sv", frozenset({"helpdesk"}))


async def test_start_tls_is_as_good(directory: Directory, slapd: Slapd, ann: str) -> None:
    """On the plain port the connection is encrypted before anything is said."""
    started = replace(directory, servers=(slapd.ldap,))
    assert await LdapDirectories().authenticate(started, "ann@example.org", PASSWORD) is not None


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("ann@example.org", "wrong"),
        ("nobody@example.org", PASSWORD),
        ("*", PASSWORD),
        ("ann@example.org)(uid=*", PASSWORD),
        ("ann*", PASSWORD),
        ("ann@example.org", ""),
        ("ann@example.org\0", PASSWORD),
    ],
)
async def test_nothing_else_gets_in(directory: Directory, ann: str, login: str, password: str) -> None:
    """Wrong passwords, unknown names, filters in names, and the empty password that servers take for anonymous."""
    assert await LdapDirectories().authenticate(directory, login, password) is None


async def test_an_old_password_fails_at_once(directory: Directory, slapd: Slapd, ann: str) -> None:
    """Nothing of a bind is remembered."""
    source = LdapDirectories()
    assert await source.authenticate(directory, "ann@example.org", PASSWORD) is not None
    slapd.set_password(ann, "a newer password")
    assert await source.authenticate(directory, "ann@example.org", PASSWORD) is None
    assert await source.authenticate(directory, "ann@example.org", "a newer password") is not None


async def test_who_falls_out_of_the_filter_is_out(directory: Directory, slapd: Slapd, ann: str) -> None:
    """The entry is there, the password is right, the person has left."""
    slapd.replace(ann, "employeeType", "left")
    assert await LdapDirectories().authenticate(directory, "ann@example.org", PASSWORD) is None


async def test_two_entries_with_one_login_are_nobody(directory: Directory, slapd: Slapd, ann: str) -> None:
    """Which one was meant is not guessed."""
    slapd.person("ann2", "Ann Other", PASSWORD, mail="ann@example.org")
    assert await LdapDirectories().authenticate(directory, "ann@example.org", PASSWORD) is None


async def test_an_attribute_that_claims_rights_gives_none(directory: Directory, slapd: Slapd) -> None:
    """Only groups that the map names give a role; what a person may write about herself does not."""
    eve = slapd.person("eve", "Eve", PASSWORD)
    slapd.replace(eve, "employeeType", "platform-admin")
    slapd.replace(eve, "description", f"cn=admins,{GROUPS}")
    slapd.group("other", eve)
    entry = await LdapDirectories().authenticate(directory, "eve@example.org", PASSWORD)
    assert entry is not None
    assert entry.roles == frozenset()


async def test_everybody_comes_page_by_page(
    directory: Directory, slapd: Slapd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages of two hold seven people, each once; the first look finds them too."""
    monkeypatch.setattr("au_sys_identity.adapters.ldap.directory._PAGE", 2)
    for number in range(7):
        slapd.person(f"p{number}", f"Person {number}", PASSWORD)
    pages = [page async for page in LdapDirectories().people(directory)]
    assert sorted(entry.email for page in pages for entry in page) == [f"p{number}@example.org" for number in range(7)]
    assert max(len(page) for page in pages) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"certificates": ""},
        {"password": "not the service account's"},
        {"servers": ("ldaps://127.0.0.1:1",)},
        {"base": "dc=nowhere"},
    ],
)
async def test_a_directory_that_is_not_as_it_should_be_is_unreachable(
    directory: Directory, ann: str, change: dict[str, object]
) -> None:
    """An unknown authority, a service account that is refused, nobody there: never a wrong password."""
    broken = replace(directory, **change)  # type: ignore[arg-type]  # one field at a time
    with pytest.raises(DirectoryUnreachable):
        await LdapDirectories().authenticate(broken, "ann@example.org", PASSWORD)


async def test_a_certificate_for_another_name_is_refused(directory: Directory, slapd: Slapd, ann: str) -> None:
    """The server is the right one by address only."""
    elsewhere = replace(directory, servers=(slapd.ldaps.replace("127.0.0.1", "127.0.0.2"),))
    with pytest.raises(DirectoryUnreachable):
        await LdapDirectories().authenticate(elsewhere, "ann@example.org", PASSWORD)


@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
async def test_a_silent_server_costs_seconds_and_nobody_else(directory: Directory, silent: str, scheme: str) -> None:
    """The time limit ends it, and meanwhile the event loop goes on."""
    mute = replace(directory, servers=(f"{scheme}://{silent}",), seconds=0.5)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    with pytest.raises(DirectoryUnreachable):
        await LdapDirectories().authenticate(mute, "ann@example.org", PASSWORD)
    ticking.cancel()
    assert ticks > 5


async def test_the_next_server_answers_for_a_dead_one(
    directory: Directory, slapd: Slapd, ann: str, silent: str
) -> None:
    """Several servers are tried in turn within the limit."""
    several = replace(directory, servers=("ldaps://127.0.0.1:1", f"ldaps://{silent}", slapd.ldaps), seconds=3.0)
    assert await LdapDirectories().authenticate(several, "ann@example.org", PASSWORD) is not None


@pytest.mark.parametrize("answers", [["300c02010178070a013404000400"], ["300c02010178070a010004000400"] * 2])
async def test_stripped_start_tls_says_nothing_in_clear(directory: Directory, answers: list[str]) -> None:
    """A man in the middle who refuses TLS, or slips bytes in before it, hears no name and no password."""
    heard, over = bytearray(), asyncio.Event()

    async def middle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.extend(await reader.read(4096))
        writer.write(bytes.fromhex("".join(answers)))
        while more := await reader.read(4096):
            heard.extend(more)
        writer.close()
        await writer.wait_closed()
        over.set()

    async with await asyncio.start_server(middle, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        stripped = replace(directory, servers=(f"ldap://127.0.0.1:{port}",), seconds=1.0)
        with pytest.raises(DirectoryUnreachable):
            await LdapDirectories().authenticate(stripped, "ann@example.org", PASSWORD)
        await over.wait()
    assert PASSWORD.encode() not in heard
    assert b"service" not in heard


async def test_referrals_are_not_followed(directory: Directory, slapd: Slapd, ann: str) -> None:
    """An entry that points to another server is no person and leads nowhere."""
    slapd.change(
        f"dn: uid=away,{PEOPLE}\nchangetype: add\nobjectClass: referral\nobjectClass: extensibleObject\nuid: away\n"
        "ref: ldap://127.0.0.1:1/dc=elsewhere\n"
    )
    pages = [page async for page in LdapDirectories().people(directory)]
    assert [entry.dn for page in pages for entry in page] == [ann]
    slapd.change(f"dn: uid=away,{PEOPLE}\ncontrol: 2.16.840.1.113730.3.4.2 true\nchangetype: delete\n")


async def test_a_server_that_failed_often_is_left_alone(directory: Directory, slapd: Slapd, ann: str) -> None:
    """Three failures in a row, then it is not asked for a while; another directory on a good server is not affected."""
    asked = 0

    async def rude(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        writer.close()
        await writer.wait_closed()

    source = LdapDirectories()
    async with await asyncio.start_server(rude, "127.0.0.1", 0) as server:
        broken = replace(directory, servers=(f"ldap://127.0.0.1:{server.sockets[0].getsockname()[1]}",))
        for _ in range(6):
            with pytest.raises(DirectoryUnreachable):
                await source.authenticate(broken, "ann@example.org", PASSWORD)
    assert asked == 3
    assert await source.authenticate(directory, "ann@example.org", PASSWORD) is not None


def test_a_filter_that_is_none_is_refused_when_it_is_set_up(directory: Directory) -> None:
    """Not when the first person signs in."""
    with pytest.raises(InvalidInput):
        LdapDirectories().check(replace(directory, people="(&(objectClass=person)"))
