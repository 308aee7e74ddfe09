"""Question and decision wire shapes."""

from typing import Annotated, Literal, Required, Self

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from au_sys_identity.adapters.api.schemas.rights.policies import Effect, MembershipNew, PolicyNew
from au_sys_identity.core.access.asking import Answer
from au_sys_identity.core.access.rules import Asked, Difference, Invariant, Proof, Question
from au_sys_identity.core.subjects.models import SubjectKind


class Ask(BaseModel):
    """May this subject do this, there? Without a subject: the caller."""

    model_config = ConfigDict(extra="forbid")

    subject: str | None = Field(None, max_length=200)
    domain: str = Field("default", max_length=64)
    resource: str = Field(max_length=500)
    action: str = Field(max_length=120)
    at_least_version: int | None = Field(None, ge=0)
    explain: bool = False

    def question(self, subject: str) -> Question:
        """As the engine reads it."""
        return Question(subject, self.domain, self.resource, self.action)


class ReasonOut(BaseModel):
    """Why, as a code and a sentence."""

    code: str
    text: str


class StepOut(BaseModel):
    """One membership on the way to the rule."""

    subject: str
    role: str
    domain: str


class RuleOut(BaseModel):
    """The rule that decided."""

    subject: str
    domain: str
    resource: str
    action: str
    effect: Effect


class ProofOut(BaseModel):
    """The shortest way to the rule that decided; without one, what would have helped."""

    chain: list[StepOut]
    rule: RuleOut | None
    nearest: list[str]

    @classmethod
    def of(cls, proof: Proof) -> Self:
        """The wire shape."""
        rule = None if proof.rule is None else RuleOut(**dict(zip(RuleOut.model_fields, proof.rule, strict=False)))
        chain = [StepOut(subject=step.subject, role=step.role, domain=step.domain) for step in proof.chain]
        return cls(chain=chain, rule=rule, nearest=[] if proof.allowed else list(proof.nearest))


class DecisionOut(BaseModel):
    """A decision with the version of the rules that it was made at."""

    allowed: bool
    decision_id: str
    version: int
    reason: ReasonOut
    proof: ProofOut | None = None

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """The wire shape."""
        return cls(
            allowed=answer.allowed,
            decision_id=answer.decision_id,
            version=answer.revision,
            reason=ReasonOut(code=answer.code, text=answer.text),
            proof=None if answer.proof is None else ProofOut.of(answer.proof),
        )


class AskOne(TypedDict, total=False):
    """One of many questions. A plain dictionary: ten thousand objects would wake the garbage collector."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]  # pydantic's way to configure a TypedDict

    subject: Annotated[str | None, Field(max_length=200)]
    domain: Annotated[str, Field(max_length=64)]
    resource: Required[Annotated[str, Field(max_length=500)]]
    action: Required[Annotated[str, Field(max_length=120)]]
    at_least_version: Annotated[int | None, Field(ge=0)]
    explain: bool


class AskMany(BaseModel):
    """Many questions, answered at one version of the rules. Without a subject: about the caller."""

    model_config = ConfigDict(extra="forbid")

    questions: list[AskOne] = Field(min_length=1, max_length=10_000)
    at_least_version: int | None = Field(None, ge=0)

    def asked(self, caller: str) -> list[Asked]:
        """As the engine reads them."""
        return [
            (
                caller if (subject := one.get("subject")) is None else subject,
                one.get("domain", "default"),
                one["resource"],
                one["action"],
            )
            for one in self.questions
        ]

    @property
    def newest(self) -> int | None:
        """The least version that will do for all of them."""
        wanted = {one["at_least_version"] or 0 for one in self.questions if "at_least_version" in one}
        return max(wanted | {self.at_least_version or 0}) or None


class AnswersOut(BaseModel):
    """Answers in the order of the questions."""

    version: int
    allowed: list[bool]


class Preview(BaseModel):
    """A change to look at before it is made."""

    model_config = ConfigDict(extra="forbid")

    add: list[PolicyNew | MembershipNew] = Field(default_factory=list, max_length=1000)
    remove: list[PolicyNew | MembershipNew] = Field(default_factory=list, max_length=1000)


class QuestionOut(BaseModel):
    """A right of a subject; the resource may be a pattern."""

    subject: str
    domain: str
    resource: str
    action: str

    @classmethod
    def of(cls, question: Question) -> Self:
        """The wire shape."""
        return cls(**question._asdict())


class PreviewOut(BaseModel):
    """Who would gain and who would lose what; ``complete`` is false when there was more than is shown."""

    version: int
    gains: list[QuestionOut]
    losses: list[QuestionOut]
    complete: bool

    @classmethod
    def of(cls, revision: int, found: Difference) -> Self:
        """The wire shape."""
        return cls(
            version=revision,
            gains=[QuestionOut.of(question) for question in found.gains],
            losses=[QuestionOut.of(question) for question in found.losses],
            complete=found.complete,
        )


class Never(BaseModel):
    """What must never be allowed to subjects of a kind, or to who holds a role."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["person", "app", "agent"] | None = None
    role: str | None = Field(None, max_length=120)
    domain: str = Field("*", max_length=64)
    resource: str = Field(max_length=500)
    action: str = Field("*", max_length=120)

    def invariant(self) -> Invariant:
        """As the engine reads it."""
        return Invariant(self.domain, self.resource, self.action)


class Prove(BaseModel):
    """An invariant to look for a counterexample of."""

    model_config = ConfigDict(extra="forbid")

    never: Never


class ProveOut(BaseModel):
    """Whether it holds for all that were looked at, or a case in which it does not."""

    holds: bool
    version: int
    subjects: int
    counterexample: QuestionOut | None = None
    proof: ProofOut | None = None


KINDS: dict[str, SubjectKind] = {
    "user": "person",
    "person": "person",
    "app": "app",
    "agent": "agent",
    "group": "group",
    "provider": "provider",
}
"""Words for kinds of subject, on this wire and in URNs."""
