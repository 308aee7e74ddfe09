"""Compiled catalogues of every capability, read when a language is first asked for."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi_services_platform.observability.logger_factory import get_logger

if TYPE_CHECKING:
    from gettext import NullTranslations

SOURCE_LANGUAGE = "en"
SHARED = "hub"
"""The capability whose words everybody may use: those of the frame and of its components."""

_log = get_logger(__name__)


def marked(text: str) -> str:
    """A text that is translated where it is shown; ``just translations`` collects what stands in this call."""
    return text


class Catalogues:
    """Texts of capabilities in other languages. ``folders`` hold ``<language>/LC_MESSAGES/<capability>.mo``."""

    def __init__(self, folders: Iterable[tuple[str, Path]] = ()) -> None:
        self._folders = tuple(folders)
        self._loaded: dict[str, Mapping[str, NullTranslations]] = {SOURCE_LANGUAGE: {}}
        self.languages = (SOURCE_LANGUAGE, *sorted(_languages(folder for owner, folder in self._folders)))

    def has(self, language: str) -> bool:
        """Whether the language is read already, so that looking something up does not block."""
        return language in self._loaded

    def load(self, language: str) -> None:
        """Read the language's catalogue of every capability. Blocks: call it in a thread."""
        import gettext

        found: dict[str, NullTranslations] = {}
        for owner, folder in self._folders:
            try:
                read = gettext.translation(owner, folder, [language])
            except FileNotFoundError:
                continue
            except (OSError, UnicodeDecodeError) as error:  # its texts stay English: better than no page
                _log.error("languages.catalogue_unreadable", capability=owner, language=language, exc_info=error)
                continue
            found[owner] = read
        self._loaded[language] = found

    def text(self, owner: str, language: str, text: str) -> str:
        """A text in a language, from its capability's catalogue or the shared one; else as it is.

        An empty one stays empty: gettext keeps its header under it.
        """
        for catalogue in self._of(owner, language) if text else ():
            said = catalogue.gettext(text)
            if said != text:
                return said
        return text

    def plural(self, owner: str, language: str, one: str, many: str, count: int) -> str:
        """The form of a text that fits a number."""
        plain = one if count == 1 else many
        for catalogue in self._of(owner, language):
            said = catalogue.ngettext(one, many, count)
            if said not in (one, many):
                return said
        return plain

    def _of(self, owner: str, language: str) -> "Iterable[NullTranslations]":
        if language not in self._loaded:
            self.load(language)
        catalogues = self._loaded[language]
        return [catalogues[name] for name in (owner, SHARED) if name in catalogues]


def _languages(folders: Iterable[Path]) -> set[str]:
    return {file.parent.parent.name for folder in folders for file in folder.glob("*/LC_MESSAGES/*.mo")}
