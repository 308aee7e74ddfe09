"""Build what holds subjects together: the graph, machines, groups and organizations."""

from dataclasses import dataclass
from typing import Any

from au_sys_identity.adapters.api.together.reach import Reach
from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.adapters.db.unit_of_work import SqlTransactions
from au_sys_identity.adapters.web.governing.machines import MachineRoom
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.graph.linking import Linking
from au_sys_identity.core.graph.live import LiveGraph
from au_sys_identity.core.groups.administration import Groups
from au_sys_identity.core.integrity.checking import Integrity
from au_sys_identity.core.machines.accounts import Machines
from au_sys_identity.core.machines.stopping import Stopping
from au_sys_identity.core.machines.vendors import Providers
from au_sys_identity.core.notices.writing import LetterBox
from au_sys_identity.core.organizations.membership import Organizations
from au_sys_identity.core.ports import Clock
from au_sys_identity.manifest.config import IdentitySettings


@dataclass(frozen=True, slots=True)
class Gathered:
    """Built; ``services`` by the interface under which they are asked for."""

    services: dict[type[Any], object]  # Any: interfaces of unrelated types


def gathering(
    settings: IdentitySettings,
    graph: LiveGraph,
    transactions: SqlTransactions,
    root: RootKey,
    *,
    letters: LetterBox,
    decisions: Decisions,
    granting: Granting,
    clock: Clock,
) -> Gathered:
    """Build it on what the other services are built on."""
    machines = Machines(transactions, graph, clock)
    stopping = Stopping(transactions, graph, letters, clock)
    linking = Linking(transactions, root, clock, deepest=settings.graph_max_depth)
    groups = Groups(transactions, clock)
    organizations = Organizations(transactions, clock)
    reach = Reach(decisions, granting, organizations, linking)
    return Gathered(
        {
            LiveGraph: graph,
            Machines: machines,
            Stopping: stopping,
            Linking: linking,
            Providers: Providers(transactions, clock),
            Groups: groups,
            Organizations: organizations,
            Integrity: Integrity(transactions, graph, clock),
            Reach: reach,
            MachineRoom: MachineRoom(graph, machines, stopping, linking, groups, organizations, reach),
        }
    )
