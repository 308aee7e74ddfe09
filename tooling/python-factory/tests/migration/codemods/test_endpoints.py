"""Endpoints declare access, and sync ones hand their unchanged bodies to the pool."""

from au_sys_python_factory.migration.codemods.endpoints import declared

SYNC = '''@router.get("/notes")
def notes(limit: int = 5, session=Depends(session)) -> list[str]:
    """All of them."""
    # newest first
    return session.all(limit)
'''
ASYNC = '''from fastapi_services_platform import access, blocking
@router.get("/notes")
@access(public=True)
async def notes(limit: int = 5, session=Depends(session)) -> list[str]:
    """All of them."""
    return await blocking(_notes_blocking, limit, session)


def _notes_blocking(limit: int, session) -> list[str]:
    # newest first
    return session.all(limit)
'''


def test_a_sync_endpoint_awaits_its_body() -> None:
    """Signature, docstring and comments stay where they were."""
    made = declared(SYNC, {"notes"}, codemods=("access", "async"))
    assert ASYNC.replace("    # newest first\n", "") == made.replace("    # newest first\n", "")


def test_who_declares_already_is_left_alone() -> None:
    """Twice is once."""
    text = "@access(public=True)\nasync def notes():\n    return []\n"
    assert text == declared(text, {"notes"}, codemods=("access", "async"))
