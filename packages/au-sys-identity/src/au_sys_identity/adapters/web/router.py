"""Mount every identity page."""

from fastapi import APIRouter

from au_sys_identity.adapters.web import (
    account,
    administration,
    directory_sign_in,
    mail_links,
    outside_administration,
    outside_logins,
    passkeys,
    register,
    security,
    sign_in,
)

router = APIRouter()
router.include_router(sign_in.router)
router.include_router(directory_sign_in.router)
router.include_router(outside_logins.router)
router.include_router(register.router)
router.include_router(account.router)
router.include_router(security.router)
router.include_router(passkeys.router)
router.include_router(administration.router)
router.include_router(outside_administration.router)
router.include_router(mail_links.router)
