"""Where the folders of a package are on disk."""

from importlib.util import find_spec
from pathlib import Path

from fastapi_services_platform.errors import PlatformError


def folder_of(package: str, folder: str) -> Path:
    """The folder inside an importable package.

    Raises:
        PlatformError: there is no such package or folder.
    """
    try:
        spec = find_spec(package)
    except ModuleNotFoundError:
        spec = None
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        found = Path(place) / folder
        if found.is_dir():
            return found
    raise PlatformError(f"Package {package!r} has no folder {folder!r}.", "correct the TemplateFolder or StaticFolder.")
