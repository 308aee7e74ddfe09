"""Post into a folder: one file a letter, for development and for installations without a mail server."""

import os
from pathlib import Path

from au_sys_identity.adapters.email.texts import message_of
from au_sys_identity.core.notices.models import Letter
from au_sys_identity.core.notices.ports import PostRefused
from fastapi_services_platform import blocking


class FolderPost:
    """Files are readable by their owner only: they hold links that let people in."""

    def __init__(self, folder: Path, *, sender: str, site: str) -> None:
        self._folder = folder
        self._sender = sender
        self._site = site

    async def send(self, letter: Letter) -> None:
        """See :class:`~au_sys_identity.core.notices.ports.Post`."""
        try:
            await blocking(self._write, letter)
        except OSError as error:
            raise PostRefused(type(error).__name__) from None

    def _write(self, letter: Letter) -> None:
        name, content = f"{letter.id}.eml", bytes(message_of(letter, sender=self._sender, site=self._site))
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        waiting = self._folder / f"{name}.part"  # a reader of *.eml never meets half a letter
        handle = os.open(waiting, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        waiting.replace(self._folder / name)
