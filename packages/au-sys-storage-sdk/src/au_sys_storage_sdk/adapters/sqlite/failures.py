"""What SQLite's errors mean to a caller of storage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from au_sys_storage_sdk.core.errors import Corrupt, ReadOnly, Unavailable


@contextmanager
def translated(path: str, backend: str) -> Iterator[None]:
    """Raise storage errors for SQLite errors that come from disk, locks or damage; others are bugs and pass."""
    try:
        yield
    except (apsw.BusyError, apsw.LockedError) as error:
        raise Unavailable(f"{path} is busy ({error})") from error
    except apsw.FullError as error:
        raise Unavailable(f"the disk under {path} is full; nothing of the write was kept", retry_after=30) from error
    except (apsw.CantOpenError, apsw.IOError) as error:
        raise Unavailable(f"the disk under {path} does not answer ({error})", retry_after=5) from error
    except (apsw.ReadOnlyError, apsw.PermissionsError) as error:
        raise ReadOnly(backend, f"{path}: {error}") from error
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise Corrupt(path, str(error)) from error
