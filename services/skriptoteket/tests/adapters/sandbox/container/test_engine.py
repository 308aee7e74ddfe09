"""The client of the engine: what it says when there is none, and what an engine may answer."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from skriptoteket.adapters.sandbox.container.engine import Engine, EngineProblem
from skriptoteket.adapters.sandbox.container.run import Marked
from skriptoteket.adapters.sandbox.container.sandbox import ContainerSandbox
from skriptoteket.adapters.sandbox.probe import RunnerChoice, choose_sandbox, probe_host
from skriptoteket.conformance.endings import script_of
from skriptoteket.core.runs.sandbox import SandboxFailed


@pytest.fixture
async def answering(tmp_path: Path) -> AsyncIterator[tuple[Engine, list[bytes]]]:
    """An engine whose next answers are given beforehand."""
    answers: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answers.pop(0))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_unix_server(serve, tmp_path / "s")
    yield Engine(f"unix://{tmp_path}/s"), answers
    server.close()
    await server.wait_closed()


async def test_answers_of_each_framing(answering: tuple[Engine, list[bytes]]) -> None:
    """An answer with a length, one in chunks, one that ends with the connection, and none at all are read whole."""
    engine, answers = answering
    answers += [
        b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n[1, 2] ",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n3\r\n 2]\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n[1, 2]",
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ]

    assert [await engine.call("GET", "/x") for _ in range(4)] == [[1, 2], [1, 2], [1, 2], None]


async def test_a_refusal_carries_the_engines_words(answering: tuple[Engine, list[bytes]]) -> None:
    """What the engine says about a refusal reaches the operator, with its status."""
    engine, answers = answering
    said = json.dumps({"message": "no such image"}).encode()
    answers.append(b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said))

    with pytest.raises(EngineProblem, match="404: no such image"):
        await engine.call("GET", "/x")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[1"])
async def test_an_answer_that_breaks_off_is_a_problem(answering: tuple[Engine, list[bytes]], answer: bytes) -> None:
    """A connection that ends in the middle is no answer."""
    engine, answers = answering
    answers.append(answer)

    with pytest.raises((EngineProblem, ValueError)):
        await engine.call("GET", "/x")


async def test_no_engine_is_told_with_its_fix(tmp_path: Path) -> None:
    """Without an engine nothing is promised, nothing runs, and the report says how to get one."""
    sandbox = ContainerSandbox(tmp_path, f"unix://{tmp_path}/none")
    report = await probe_host(sandbox)

    assert await sandbox.capabilities() == {}
    assert not report.usable
    assert "SKRIPTOTEKET_CONTAINER_URL" in report.fix
    with pytest.raises(SandboxFailed):
        await sandbox.start(script_of("pass").spec())


async def test_containers_need_an_address(tmp_path: Path) -> None:
    """Asked for without a socket, or with something that is no socket, containers are refused by the setting's name."""
    with pytest.raises(ValueError, match="container_url"):
        await choose_sandbox(tmp_path, RunnerChoice("container"))
    with pytest.raises(ValueError, match="container_url"):
        Engine("tcp://127.0.0.1:2375")


async def test_an_absent_runtime_is_refused_by_its_name(answering: tuple[Engine, list[bytes]], tmp_path: Path) -> None:
    """A runtime that the engine does not know is told with those that it knows, and nothing is promised."""
    engine, answers = answering
    facts = json.dumps({"Runtimes": {"runc": {}, "crun": {}}}).encode()
    answers += [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(facts), facts)] * 3
    sandbox = ContainerSandbox(tmp_path, f"unix://{engine.path}", runtime="runsc")
    report = await probe_host(sandbox)

    assert "the engine has no runtime runsc (SKRIPTOTEKET_CONTAINER_RUNTIME); it knows crun, runc" in report.problem
    assert (report.usable, dict(report.capabilities)) == (False, {})


def said(status: str, content: object) -> bytes:
    """An answer of the engine."""
    text = json.dumps(content).encode()
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status.encode(), len(text), text)


@pytest.mark.parametrize(("status", "tries"), [("500 Internal Server Error", 2), ("409 Conflict", 1)])
async def test_a_container_that_did_not_start_is_made_once_more(
    answering: tuple[Engine, list[bytes]], tmp_path: Path, status: str, tries: int
) -> None:
    """An engine that fails gets a second try, one that refuses does not; what was made is removed each time."""
    engine, answers = answering
    making = [said("201 Created", {}), *[said("201 Created", {"Id": "x"})] * 2, said(status, {"message": "is dead"})]
    removing = [b"HTTP/1.1 204 No Content\r\n\r\n"] * 3
    answers += [said("200 OK", {}), *(making + removing) * tries]
    sandbox = ContainerSandbox(tmp_path, f"unix://{engine.path}")

    with pytest.raises(SandboxFailed, match="is dead"):
        await sandbox.start(script_of("pass").spec())
    assert answers == []


def test_records_are_taken_out_of_the_stream() -> None:
    """Records between what the script prints are taken out however the bytes are cut; everything else stays."""
    whole = b'one\x1emark{"percent": 1}\ntwo\x1em\x1emark{"percent": 2}\nthree\x1emar'
    for cut in range(1, len(whole)):
        marked = Marked("mark", 4096)
        records: list[bytes] = []
        text = b""
        for start in range(0, len(whole), cut):
            piece, found = marked.split(whole[start : start + cut])
            text, records = text + piece, records + found
        assert text + marked.rest() == b"onetwo\x1emthree\x1emar"
        assert records == [b'{"percent": 1}', b'{"percent": 2}']


def test_a_record_without_end_is_text() -> None:
    """A mark that nothing follows does not keep the stream back for ever."""
    marked = Marked("mark", 4096)

    text, records = marked.split(b"\x1emark" + b"y" * 9000)

    assert (len(text), records) == (9000, [])
