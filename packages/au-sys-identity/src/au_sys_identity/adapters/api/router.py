"""Mount every identity route once."""

from fastapi import APIRouter

from au_sys_identity.adapters.api import settings, subjects
from au_sys_identity.adapters.api.evidence import audit, recovery
from au_sys_identity.adapters.api.notices import router as notices
from au_sys_identity.adapters.api.outside import directories, logins
from au_sys_identity.adapters.api.programs import (
    agents,
    approvals,
    delegations,
    machine_mfa,
    machines,
    oauth_tokens,
    tokens,
    vendors,
)
from au_sys_identity.adapters.api.proofs import factors, mail_links, passkeys, sessions
from au_sys_identity.adapters.api.rights import access, authzen, policies, questions, requests
from au_sys_identity.adapters.api.together import custody, graph, groups, invitations, organizations

router = APIRouter()
router.include_router(sessions.router)
router.include_router(factors.router)
router.include_router(passkeys.router)
router.include_router(subjects.router)
router.include_router(mail_links.router)
router.include_router(tokens.router)
router.include_router(oauth_tokens.router)
router.include_router(machines.router)
router.include_router(agents.router)
router.include_router(vendors.router)
router.include_router(groups.router)
router.include_router(graph.router)
router.include_router(custody.router)
router.include_router(organizations.router)
router.include_router(invitations.router)
router.include_router(machine_mfa.router)
router.include_router(approvals.router)
router.include_router(delegations.router)
router.include_router(requests.router)
router.include_router(directories.router)
router.include_router(logins.router)
router.include_router(access.router)
router.include_router(policies.router)
router.include_router(questions.router)
router.include_router(authzen.router)
router.include_router(settings.router)
router.include_router(notices)
router.include_router(audit.router)
router.include_router(recovery.router)
