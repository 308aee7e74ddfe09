"""Edge, custody, group and organization wire shapes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from au_sys_identity.core.graph.index import Step
from au_sys_identity.core.graph.models import Edge, Relation
from au_sys_identity.core.groups.models import Group
from au_sys_identity.core.machines.models import Machine
from au_sys_identity.core.organizations.models import Membership, Organization
from au_sys_identity.core.subjects.models import Named, Person, SubjectId

Names = Mapping[SubjectId, Named]


class LinkBody(BaseModel):
    """An edge to make."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(max_length=80)
    relation: Literal["member_of", "owner_of", "child_of", "dependency_of"]
    target: str = Field(max_length=80)
    attributes: dict[str, Any] | None = None  # Any: JSON of the caller's own
    expires_at: datetime | None = None


class UnlinkBody(BaseModel):
    """An edge to take away."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(max_length=80)
    relation: Literal["member_of", "owner_of", "child_of", "dependency_of"]
    target: str = Field(max_length=80)


class EdgeOut(BaseModel):
    """One relation between two subjects."""

    id: UUID
    source: str
    relation: Relation
    target: str
    attributes: dict[str, Any]  # Any: as above
    expires_at: datetime | None
    created_at: datetime
    created_by: str

    @classmethod
    def of(cls, edge: Edge, names: Names, attributes: Mapping[str, object] | None = None) -> Self:
        """From the core."""
        return cls(
            id=edge.id,
            source=_urn(edge.source, names),
            relation=edge.relation,
            target=_urn(edge.target, names),
            attributes=dict(attributes or {}),
            expires_at=edge.expires_at,
            created_at=edge.created_at,
            created_by=edge.created_by,
        )


class StepOut(BaseModel):
    """An edge on a way."""

    source: str
    relation: Relation
    target: str

    @classmethod
    def of(cls, step: Step, names: Names) -> Self:
        """From the core."""
        return cls(source=_urn(step[0], names), relation=step[1], target=_urn(step[2], names))


class NodeOut(BaseModel):
    """A subject of any kind."""

    id: UUID
    urn: str
    kind: str
    name: str
    status: str

    @classmethod
    def of(cls, named: Named) -> Self:
        """From the core."""
        return cls(id=named.id, urn=named.urn, kind=named.kind, name=named.name, status=named.status)


class MembershipOut(BaseModel):
    """A group that a subject belongs to, and through which."""

    group: NodeOut
    depth: int
    via: list[StepOut]


class MembershipsOut(BaseModel):
    """Groups of a subject, nearest first."""

    items: list[MembershipOut]
    next_cursor: str | None = None


class DependentOut(BaseModel):
    """Somebody who would miss a subject; ``would_stop`` when it could not act without it."""

    subject: NodeOut
    relation: Relation
    depth: int
    via: list[StepOut]
    would_stop: bool


class DependentsOut(BaseModel):
    """A page of dependents, nearest first."""

    items: list[DependentOut]
    next_cursor: str | None = None


class NeighbourhoodOut(BaseModel):
    """What a picture of a subject's surroundings shows."""

    nodes: list[NodeOut]
    edges: list[StepOut]


class CustodyOut(BaseModel):
    """Who answers for a subject, by which edges, and what answers to it."""

    subject: NodeOut
    living: bool
    custodians: list[NodeOut]
    chain: list[EdgeOut]
    machines: list[NodeOut]


class StopBody(BaseModel):
    """Stop what answers to a subject."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field("", max_length=500)
    everything: bool = False
    preview: bool = False


class ResumeBody(BaseModel):
    """Let what was stopped go on."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field("", max_length=500)
    preview: bool = False


class TransferBody(BaseModel):
    """Hand custody over."""

    model_config = ConfigDict(extra="forbid")

    to: str = Field(max_length=80)
    reason: str = Field("", max_length=500)
    preview: bool = False


class OtherOut(BaseModel):
    """A machine that stays as it is, and who answers for it."""

    subject: NodeOut
    custodians: list[NodeOut]


class StoppedOut(BaseModel):
    """What stops, and what lives on through another owner."""

    preview: bool
    stops: list[NodeOut]
    lives_on: list[OtherOut]


class ResumedOut(BaseModel):
    """What goes on, and what nobody answers for."""

    preview: bool
    resumes: list[NodeOut]
    stays_stopped: list[OtherOut]


class TransferredOut(BaseModel):
    """What was handed over to whom."""

    preview: bool
    to: str
    machines: list[NodeOut]


class GroupNew(BaseModel):
    """A group to make."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=400)
    description: str = Field("", max_length=2000)
    organization: str = Field("default", max_length=63)


class GroupUpdate(BaseModel):
    """What may be changed about a group."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, max_length=400)
    description: str | None = Field(None, max_length=2000)


class GroupOut(BaseModel):
    """Subjects that stand together."""

    id: UUID
    urn: str
    name: str
    description: str
    organization: str
    source: str
    created_at: datetime
    version: int

    @classmethod
    def of(cls, group: Group, organization: str) -> Self:
        """From the core."""
        return cls(
            id=group.id,
            urn=group.urn,
            name=group.name,
            description=group.description,
            organization=organization,
            source=group.source,
            created_at=group.created_at,
            version=group.version,
        )


class GroupsOut(BaseModel):
    """A page of groups."""

    items: list[GroupOut]
    next_cursor: str | None = None


class MemberOut(BaseModel):
    """Who belongs to a group, and through which."""

    subject: NodeOut
    depth: int
    via: list[StepOut]


class GroupMembersOut(BaseModel):
    """A page of members, nearest first."""

    items: list[MemberOut]
    next_cursor: str | None = None


class OrganizationNew(BaseModel):
    """An organization to make."""

    model_config = ConfigDict(extra="forbid")

    slug: str = Field(max_length=63)
    name: str = Field(max_length=400)


class OrganizationUpdate(BaseModel):
    """What may be changed about an organization."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=400)


class OrganizationOut(BaseModel):
    """A tenant; its slug is the domain of its rules."""

    id: UUID
    slug: str
    name: str
    status: str
    created_at: datetime
    version: int

    @classmethod
    def of(cls, organization: Organization) -> Self:
        """From the core."""
        return cls(
            id=organization.id,
            slug=organization.slug,
            name=organization.name,
            status=organization.status,
            created_at=organization.created_at,
            version=organization.version,
        )


class OrganizationsOut(BaseModel):
    """Organizations by slug."""

    items: list[OrganizationOut]
    next_cursor: str | None = None


class OrganizationMemberOut(BaseModel):
    """A person who belongs to an organization."""

    id: UUID
    urn: str
    display_name: str
    status: str
    joined_at: datetime

    @classmethod
    def of(cls, membership: Membership, person: Person) -> Self:
        """From the core."""
        return cls(
            id=person.id,
            urn=person.urn,
            display_name=person.display_name,
            status=person.status,
            joined_at=membership.created_at,
        )


class OrganizationMembersOut(BaseModel):
    """A page of members."""

    items: list[OrganizationMemberOut]
    next_cursor: str | None = None


def machine_node(machine: Machine) -> NodeOut:
    """A machine as a node."""
    return NodeOut(id=machine.id, urn=machine.urn, kind=machine.kind, name=machine.name, status=machine.status)


def person_node(person: Person) -> NodeOut:
    """A person as a node."""
    return NodeOut(id=person.id, urn=person.urn, kind="person", name=person.display_name, status=person.status)


def others(found: Sequence[tuple[Machine, Sequence[Person]]]) -> list[OtherOut]:
    """Machines that stay as they are."""
    return [
        OtherOut(subject=machine_node(machine), custodians=[person_node(one) for one in people if one.active])
        for machine, people in found
    ]


def _urn(subject: SubjectId, names: Names) -> str:
    named = names.get(subject)
    return named.urn if named else str(subject)
