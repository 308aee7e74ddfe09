"""Mount every identity page."""

from fastapi import APIRouter

from au_sys_identity.adapters.web.arriving import directory_sign_in, mail_links, register, sign_in
from au_sys_identity.adapters.web.arriving.invitations import router as invitations
from au_sys_identity.adapters.web.governing import (
    administration,
    audit,
    departures,
    machines,
    outside_administration,
    policies,
    recovery,
    roles,
    settings,
    together,
)
from au_sys_identity.adapters.web.own import account, approvals, passkeys, requests, security
from au_sys_identity.adapters.web.own.notices import router as notices
from au_sys_identity.adapters.web.own.own_access import router as own_access

router = APIRouter()
router.include_router(sign_in.router)
router.include_router(directory_sign_in.router)
router.include_router(notices)
router.include_router(invitations)
router.include_router(own_access)
router.include_router(register.router)
router.include_router(account.router)
router.include_router(security.router)
router.include_router(passkeys.router)
router.include_router(administration.router)
router.include_router(departures.router)
router.include_router(roles.router)
router.include_router(policies.router)
router.include_router(outside_administration.router)
router.include_router(mail_links.router)
router.include_router(settings.router)
router.include_router(audit.router)
router.include_router(recovery.router)
router.include_router(approvals.router)
router.include_router(requests.router)
router.include_router(machines.router)
router.include_router(together.router)
