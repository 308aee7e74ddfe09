"""A mail server that accepts everything and keeps each letter as a file: for trials, never for people.

A program of its own: ``mail_sink.py FOLDER HOST PORT``, with nothing but the standard library.
"""

import asyncio
import itertools
import sys
from functools import partial
from pathlib import Path

_NUMBERS = itertools.count(1)


async def talk(folder: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One session of SMTP."""
    writer.write(b"220 mail sink\r\n")
    try:
        while line := await reader.readline():
            word = line[:4].upper()
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                await writer.drain()
                await asyncio.to_thread(keep, folder, await reader.readuntil(b"\r\n.\r\n"))
            writer.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            await writer.drain()
            if word == b"QUIT":
                break
    except (ConnectionError, asyncio.IncompleteReadError):
        return
    finally:
        writer.close()


def keep(folder: Path, received: bytes) -> None:
    """A letter as it was sent, under a name that sorts by arrival; whole or not at all."""
    text = received[:-3].replace(b"\r\n..", b"\r\n.")
    number = next(_NUMBERS)
    fresh = folder / f".{number:06}.part"
    fresh.write_bytes(text)
    fresh.rename(folder / f"sink-{number:06}.eml")


async def main(folder: Path, host: str, port: int) -> None:
    """Listen until told to stop."""
    server = await asyncio.start_server(partial(talk, folder), host, port, limit=64 * 1024 * 1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    place = Path(sys.argv[1])
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    asyncio.run(main(place, sys.argv[2], int(sys.argv[3])))
