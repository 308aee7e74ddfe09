"""Build the audit log: who signs it, who is told of it, and how other capabilities write to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from au_sys_identity.adapters.crypto.head_signer import HeadKeys
from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.adapters.db.unit_of_work import SqlTransactions
from au_sys_identity.adapters.runtime.audit import TreeTrail
from au_sys_identity.adapters.witnesses.file import FileWitness
from au_sys_identity.adapters.witnesses.https import HttpsWitness
from au_sys_identity.adapters.witnesses.log import LogWitness
from au_sys_identity.adapters.witnesses.storage import StorageWitness
from au_sys_identity.core.audit.keeping import Keeping
from au_sys_identity.core.audit.ports import Witness
from au_sys_identity.core.audit.reading import Audit
from au_sys_identity.core.audit.sequencing import Sequencing
from au_sys_identity.core.ports import Clock
from au_sys_identity.manifest.config import IdentitySettings
from au_sys_storage_sdk import open_blobs
from fastapi_services_platform import AuditTrail, GuardedClient

_NAMESPACE = "identity.audit"


@dataclass(frozen=True, slots=True)
class Auditing:
    """Built; ``services`` by the interface under which they are asked for."""

    services: dict[type[Any], object]  # Any: interfaces of unrelated types
    sequencing: Sequencing
    audit: Audit
    keeping: Keeping


def auditing(
    settings: IdentitySettings, transactions: SqlTransactions, root: RootKey, clock: Clock, client: GuardedClient
) -> Auditing:
    """Build it."""
    signer = HeadKeys(transactions, root, clock)
    witnesses = _witnesses(settings, client)
    every = timedelta(seconds=settings.audit_head_every)
    sequencing = Sequencing(transactions, signer, witnesses, clock, head_every=every)
    keeping = Keeping(transactions, sequencing, clock)
    audit = Audit(transactions, sequencing, signer, witnesses, clock)
    return Auditing({Audit: audit, AuditTrail: TreeTrail(transactions, audit)}, sequencing, audit, keeping)


def _witnesses(settings: IdentitySettings, client: GuardedClient) -> Sequence[Witness]:
    found: list[Witness] = []
    for name in settings.audit_witness.split():
        if name == "log":
            found.append(LogWitness())
        elif name == "storage":
            found.append(StorageWitness(open_blobs().scoped(_NAMESPACE)))
        elif name.startswith("file:///"):
            found.append(FileWitness(Path(urlsplit(name).path)))
        else:
            found.append(HttpsWitness(client, name))
    return found
