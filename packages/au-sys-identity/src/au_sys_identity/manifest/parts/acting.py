"""Build what machines need to act: proofs, approvals, grants of people, and access that is asked for."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from au_sys_identity.adapters.api.door.certificates import CertificateReader
from au_sys_identity.adapters.api.door.guard import ActGuard
from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.adapters.db.unit_of_work import SqlTransactions
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.approvals.asking import Asking
from au_sys_identity.core.approvals.deciding import Deciding
from au_sys_identity.core.approvals.models import ApprovalRules
from au_sys_identity.core.approvals.receipt_writing import Receipts
from au_sys_identity.core.approvals.using import Using
from au_sys_identity.core.audit.reading import Audit
from au_sys_identity.core.delegations.grants import Delegations
from au_sys_identity.core.delegations.narrowing import Narrowing
from au_sys_identity.core.factors.asserting import PasskeyCheck
from au_sys_identity.core.machines.proving import MachineProofs, ProofRules
from au_sys_identity.core.notices.writing import LetterBox
from au_sys_identity.core.ports import Clock
from au_sys_identity.core.tokens.delegated import DelegationTokens
from au_sys_identity.core.tokens.ports import AccessTokens
from au_sys_identity.core.workflow.requests import Requests
from au_sys_identity.manifest.config import IdentitySettings
from fastapi_services_platform import PlatformSettings, RequestGuard


@dataclass(frozen=True, slots=True)
class Footing:
    """What it is built on."""

    settings: IdentitySettings
    platform: PlatformSettings
    transactions: SqlTransactions
    root: RootKey
    decisions: Decisions
    granting: Granting
    steps: StepUp
    check: PasskeyCheck
    letters: LetterBox
    access_tokens: AccessTokens
    clock: Clock


@dataclass(frozen=True, slots=True)
class Acting:
    """Built; ``services`` by the interface under which they are asked for."""

    services: dict[type[Any], object]  # Any: interfaces of unrelated types
    approvals: ApprovalRules
    proofs: ProofRules

    def follow(self, settings: IdentitySettings) -> None:
        """Become what the settings say now."""
        self.approvals.life = timedelta(seconds=settings.approval_ttl)
        self.approvals.use_within = timedelta(seconds=settings.approval_use_ttl)
        self.approvals.signature = settings.approval_signature
        self.proofs.window = timedelta(seconds=settings.machine_mfa_window)


def acting(on: Footing, audit: Audit) -> Acting:
    """Build it. ``audit`` is the log that receipts point into."""
    transactions, root, clock = on.transactions, on.root, on.clock
    rules, window = ApprovalRules(), ProofRules()
    proving = MachineProofs(transactions, root, root, clock, window, issuer=on.platform.name)
    delegations = Delegations(transactions, on.granting, clock)
    on.decisions.narrowing = Narrowing(transactions, on.decisions.decide, clock)
    trusted = on.settings.trusted_proxies
    networks = on.platform.trusted_proxies if trusted is None else tuple(trusted.replace(",", " ").split())
    guard = ActGuard(proving, Using(transactions, clock), delegations, on.steps, CertificateReader(networks), clock)
    services: dict[type[Any], object] = {  # Any: interfaces of unrelated types
        RequestGuard: guard,
        MachineProofs: proving,
        Asking: Asking(transactions, root, on.letters, clock, rules),
        Deciding: Deciding(transactions, root, on.steps, on.check, clock, rules),
        Receipts: Receipts(audit, origin=on.platform.public_url),
        Delegations: delegations,
        DelegationTokens: DelegationTokens(delegations, on.access_tokens, clock),
        Requests: Requests(transactions, on.decisions, on.granting, clock),
    }
    return Acting(services, rules, window)
