"""Routes of recovery: backups, restore (E44, E45), undo of one change (E46), what is kept (E47), erasure."""

from contextlib import suppress
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.api.door.paging import Paged
from au_sys_identity.adapters.api.schemas.recovery import (
    BackupNew,
    BackupOut,
    BackupsOut,
    ChangeOut,
    ChangesOut,
    RecoveryConfig,
    RecoveryConfigChange,
    RestoreBody,
    RestoreOut,
    RollbackBody,
    RollbackOut,
)
from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.accounts.administration import Accounts
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.errors import HumanOnly, NotFound
from au_sys_identity.core.recovery.backups import Backups
from au_sys_identity.core.recovery.erasing import Erasing
from au_sys_identity.core.recovery.restoring import Restoring
from au_sys_identity.core.recovery.undoing import Undoing
from au_sys_identity.core.settings.changing import RuntimeSettings
from au_sys_identity.core.subjects.models import person_id
from fastapi_services_platform import access, reversible
from fastapi_services_platform.fastapi import inject

router = APIRouter(tags=["recovery"])

Archives = Annotated[Backups, inject(Backups)]
Changes = Annotated[Undoing, inject(Undoing)]
Known = Annotated[RuntimeSettings, inject(RuntimeSettings)]
Steps = Annotated[StepUp, inject(StepUp)]


@router.post("/iam/recovery/backup", operation_id="make_backup", summary="Back everything up", status_code=201)
@access(permission="identity.recovery.backup")
async def make_backup(request: Request, archives: Archives, steps: Steps, body: BackupNew | None = None) -> BackupOut:
    """An encrypted archive in the store of backups; everything goes on meanwhile."""
    caller = caller_of(request)
    await steps.require(caller)
    wanted = body or BackupNew()
    return BackupOut.of(await archives.back_up(by=caller.urn, label=wanted.label, include_audit=wanted.include_audit))


@router.get("/iam/recovery/backups", operation_id="list_backups", summary="Backups")
@access(permission="identity.recovery.read")
async def list_backups(archives: Archives, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> BackupsOut:
    """Newest first, also those that only the store knows."""
    return BackupsOut(items=[BackupOut.of(backup) for backup in (await archives.page())[:limit]])


@router.post("/iam/recovery/backups/{backup_id}/verify", operation_id="verify_backup", summary="Read a backup whole")
@access(permission="identity.recovery.backup")
async def verify_backup(request: Request, backup_id: UUID, archives: Archives) -> BackupOut:
    """Chunks, counts, references and the root of the audit log, without restoring anything."""
    return BackupOut.of(await archives.verify(backup_id, by=caller_of(request).urn))


@router.delete(
    "/iam/recovery/backups/{backup_id}", operation_id="remove_backup", summary="Remove a backup", status_code=204
)
@access(permission="identity.recovery.backup")
@reversible("irreversible")
async def remove_backup(request: Request, backup_id: UUID, archives: Archives, steps: Steps) -> Response:
    """For ever."""
    caller = caller_of(request)
    await steps.require(caller)
    await archives.remove(backup_id, by=caller.urn)
    return Response(status_code=204)


@router.post("/iam/recovery/restore/{backup_id}", operation_id="restore_backup", summary="Restore a backup")
@access(permission="identity.recovery.restore")
@reversible("irreversible")
async def restore_backup(
    request: Request,
    backup_id: UUID,
    restoring: Annotated[Restoring, inject(Restoring)],
    steps: Steps,
    body: RestoreBody | None = None,
) -> RestoreOut:
    """Whole or not at all; credentials that were revoked since stay so, and every session ends."""
    caller = caller_of(request)
    if caller.kind != "person":
        raise HumanOnly
    await steps.require(caller)
    wanted = body or RestoreBody()
    return RestoreOut.of(
        await restoring.restore(
            backup_id,
            by=caller.urn,
            dry_run=wanted.dry_run,
            confirm=wanted.confirm,
            accept_weaker=wanted.accept_weaker,
        )
    )


@router.get("/iam/recovery/changes", operation_id="list_changes", summary="Changes that can be taken back")
@access(permission="identity.recovery.read")
async def list_changes(
    changes: Changes,
    page: Paged,
) -> ChangesOut:
    """Newest first."""
    found = await changes.page(before=page.after, limit=page.limit + 1)
    items = [ChangeOut.of(change) for change in found[: page.limit]]
    return ChangesOut(items=items, next_cursor=page.next(items[-1].id) if len(found) > page.limit else None)


@router.post("/iam/recovery/rollback/{change_id}", operation_id="roll_back", summary="Take one change back")
@access(permission="identity.recovery.rollback")
async def roll_back(
    request: Request, change_id: UUID, changes: Changes, steps: Steps, body: RollbackBody | None = None
) -> RollbackOut:
    """A preview, unless it says otherwise. Taking back is a change that can be taken back."""
    caller = caller_of(request)
    await steps.require(caller)
    wanted = body or RollbackBody()
    return RollbackOut.of(await changes.undo(change_id, by=caller.urn, dry_run=wanted.dry_run))


@router.get("/iam/recovery/config", operation_id="get_recovery_config", summary="What is kept")
@access(permission="identity.recovery.read")
async def get_recovery_config(settings: Known) -> RecoveryConfig:
    """How long, how much, how often."""
    return RecoveryConfig.of((await settings.shown()).values)


@router.patch("/iam/recovery/config", operation_id="change_recovery_config", summary="Change what is kept")
@access(permission="identity.recovery.configure")
async def change_recovery_config(
    request: Request, body: RecoveryConfigChange, settings: Known, steps: Steps
) -> RecoveryConfig:
    """In force on every node within a second."""
    caller = caller_of(request)
    await steps.require(caller)
    wanted = {name.upper(): value for name, value in body.model_dump().items() if value is not None}
    changed = await settings.change(wanted, by=caller.urn)
    return RecoveryConfig.of(changed.values)


@router.post("/users/{user_id}/erase", operation_id="erase_user", summary="Erase a person", status_code=204)
@access(permission="identity.users.erase")
@reversible("irreversible")
async def erase_user(
    request: Request,
    user_id: str,
    accounts: Annotated[Accounts, inject(Accounts)],
    erasing: Annotated[Erasing, inject(Erasing)],
    granting: Annotated[Granting, inject(Granting)],
    steps: Steps,
) -> Response:
    """Closes the account if it is open, deletes what is only hers, and destroys the key to her details everywhere."""
    caller = caller_of(request)
    await steps.require(caller)
    subject = person_id(user_id)
    if subject is None:
        raise NotFound("person")
    await granting.check_outranks(caller.urn, f"urn:au:user:{subject}")
    with suppress(NotFound):  # closed before
        await accounts.close(subject, by=caller.urn)
    await erasing.erase(subject, by=caller.urn)
    return Response(status_code=204)
