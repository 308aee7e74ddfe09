"""Mount every identity route once."""

from fastapi import APIRouter, Depends

from au_sys_identity.adapters.api import access, settings, subjects
from au_sys_identity.adapters.api.evidence import audit
from au_sys_identity.adapters.api.outside import directories, logins
from au_sys_identity.adapters.api.programs import machines, oauth_tokens, tokens
from au_sys_identity.adapters.api.proofs import factors, mail_links, passkeys, sessions
from au_sys_identity.adapters.api.volume import within_volume

router = APIRouter(dependencies=[Depends(within_volume)])
router.include_router(sessions.router)
router.include_router(factors.router)
router.include_router(passkeys.router)
router.include_router(subjects.router)
router.include_router(mail_links.router)
router.include_router(tokens.router)
router.include_router(oauth_tokens.router)
router.include_router(machines.router)
router.include_router(directories.router)
router.include_router(logins.router)
router.include_router(access.router)
router.include_router(settings.router)
router.include_router(audit.router)
