"""What the graph refuses: a branch of the tree in :mod:`au_sys_identity.core.errors`.

IdentityError
├── Denied
│   └── NotPermitted          the caller may know of it, and may not do this to it
├── Malformed
│   └── RelationNotAllowed    a relation does not lead from this kind to that
└── Contradiction
    ├── Cycle                 the edge would close a circle
    ├── GraphTooDeep          a way would have too many edges
    └── LastCustodian         a machine that is not stopped would be left alone
"""

from au_sys_identity.core.errors import Contradiction, Denied, Malformed


class NotPermitted(Denied):
    """The caller may know of it, and may not do this to it."""

    def __init__(self, permission: str, domain: str) -> None:
        self.permission = permission
        self.domain = domain
        super().__init__(f"This takes {permission} in the organization {domain}.")


class RelationNotAllowed(Malformed):
    """A relation does not lead from this kind of subject to that."""

    def __init__(self, relation: str, source: str, target: str) -> None:
        self.relation = relation
        super().__init__(f"{relation} does not lead from a {source} to a {target}, nor from a subject to itself.")


class Cycle(Contradiction):
    """The edge would close a circle; ``path`` is the circle in URNs."""

    def __init__(self, path: tuple[str, ...]) -> None:
        self.path = path
        super().__init__("This would close a circle. Unlink one of the edges on the path first.")


class GraphTooDeep(Contradiction):
    """A way through the graph would have too many edges."""

    def __init__(self, deepest: int) -> None:
        self.deepest = deepest
        super().__init__(f"A way through the graph would have more than {deepest} edges.")


class LastCustodian(Contradiction):
    """Machines that are not stopped would be left alone; ``machines`` are their URNs."""

    def __init__(self, machines: tuple[str, ...]) -> None:
        self.machines = machines
        super().__init__("Nobody who is active would answer for a machine. Transfer it, or stop it first.")
