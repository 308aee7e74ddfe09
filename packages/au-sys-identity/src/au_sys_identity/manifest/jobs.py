"""What identity does in the background; one node at a time leads."""

from au_sys_identity.manifest.container import Wiring
from fastapi_services_platform import Job


def jobs_of(wiring: Wiring) -> tuple[Job, ...]:
    """All jobs."""
    return (
        Job("identity.sync-directories", wiring.sync_directories, interval=60),
        Job("identity.forget", wiring.forget, interval=3600),
        Job("identity.sequence-audit", wiring.log.sequencing.run, interval=0.5),
        Job("identity.drop-audit", wiring.drop_audit, interval=3600),
        Job("identity.write-ledger", wiring.recovery.write_ledger, interval=2),
        Job("identity.end-maintenance", wiring.recovery.restoring.watch_maintenance, interval=2),
        Job("identity.recovery", wiring.recovery.run, interval=60),
        Job("identity.send-mail", wiring.delivery.run, interval=2),
        Job("identity.rotate-signing-key", wiring.keys.rotate, interval=3600),
    )
