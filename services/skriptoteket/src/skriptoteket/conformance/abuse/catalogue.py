"""All attacks on a sandbox, and how they are judged."""

from skriptoteket.conformance.abuse.artifacts import ARTIFACTS
from skriptoteket.conformance.abuse.attack import Attack
from skriptoteket.conformance.abuse.files import FILES
from skriptoteket.conformance.abuse.lifetime import LIFETIME
from skriptoteket.conformance.abuse.network import NETWORK
from skriptoteket.conformance.abuse.resources import RESOURCES
from skriptoteket.conformance.abuse.system_calls import SYSTEM_CALLS
from skriptoteket.conformance.playing import play
from skriptoteket.core.runs.sandbox import Sandbox

GROUPS = {
    "Resources": RESOURCES,
    "Lifetime": LIFETIME,
    "Network": NETWORK,
    "Files, information": FILES,
    "System calls": SYSTEM_CALLS,
    "Artifacts": ARTIFACTS,
}
ATTACKS: dict[str, Attack] = {attack.id: attack for group in GROUPS.values() for attack in group}


async def judge(sandbox: Sandbox, attack: Attack) -> str:
    """Run one attack; the answer is why it was not contained, empty when it was."""
    return attack.complaint(await play(sandbox, attack.script()))
