"""Mount every identity route once."""

from fastapi import APIRouter

from au_sys_identity.adapters.api import access, factors, mail_links, sessions, subjects, tokens

router = APIRouter()
router.include_router(sessions.router)
router.include_router(factors.router)
router.include_router(subjects.router)
router.include_router(mail_links.router)
router.include_router(tokens.router)
router.include_router(access.router)
