"""Why commands fail, as one tree; each leaf keeps its facts and builds its own sentence.

IdentityError
├── Malformed
│   ├── InvalidInput          a field breaks a rule
│   ├── WeakPassword          a new password breaks rules
│   ├── MalformedRequest      the request cannot be read at all
│   ├── BadPattern            a rule's field is outside the dialect
│   ├── BadToken              a one-time token is of no use, whatever the cause
│   └── UnsupportedMedia      the body is of another type than the route reads
├── NotProven
│   ├── BadCredentials        the one answer to every failed sign-in
│   ├── MfaRequired           the password was right, the second step is due
│   ├── SessionEnded          refresh refused for any reason
│   └── StepUpRequired        a fresh, strong proof is asked for
├── Denied
│   ├── ExceedsOwnRights      nobody gives more than they hold
│   ├── RegistrationClosed    people do not register themselves here
│   ├── BootstrapClosed       the first administrator exists already
│   ├── WeakSession           the session is weaker than what the account has enrolled
│   ├── HumanOnly             a machine asked for what only people may do
│   ├── MachineOnly           a person asked for what only machines need
│   ├── NoCustodian           nobody active answers for the machine
│   ├── MachineMfaRequired    a machine's key alone does not count here
│   ├── ApprovalRequired      who answers for the machine has to approve this very act
│   ├── ApprovalRefused       the approval presented is not for this act, or not any more
│   ├── ModelMismatch         an agent declared a model that is not one of its own
│   ├── NotCustodian          somebody else answers for the machine now
│   ├── OwnRequest            nobody decides what they asked for themselves
│   └── MayNotDecide          others decide in that organization
├── NotFound                  unknown, or none of the caller's business
├── Contradiction
│   ├── Conflict              the name or address is taken
│   ├── LastWayIn             nobody could sign in to the account any more
│   ├── LastAdmin             nobody would be left who may do everything
│   ├── RoleCycle             a role would hold itself
│   ├── HasDependents         others would be left without what is to go
│   ├── AlreadyRotated        the key has a successor
│   ├── AlreadyDecided        somebody decided first, or the time is over
│   ├── ActMismatch           the decision names another act than the one that waits
│   ├── KeyLimit              the subject has as many keys as it may have
│   ├── ConfirmNeeded         a further confirmation is due before this goes on
│   ├── NotReversible         the change cannot be taken back
│   ├── Superseded            what the change did has been changed again
│   ├── BackupIncompatible    a newer version wrote the backup
├── BackupCorrupt             a backup was changed, cut, mixed, or made with another key
├── Stale                     the object changed since it was read
├── SignatureRequired         this act is approved with a passkey only
└── TryLater
    ├── TooManyRequests       a limit of volume is reached
    ├── TooManyAttempts       guessing is slowed down
    ├── PolicyBehind          this process does not know the rules of that revision yet
    ├── StoreUnavailable      the store of backups does not answer
    └── Busy                  the hashing queue is full
"""


class IdentityError(Exception):
    """Anything identity refuses."""


class Malformed(IdentityError):
    """What came in cannot be used."""


class InvalidInput(Malformed):
    """A field breaks a rule; ``hint`` says how to mend it."""

    def __init__(self, field: str, rule: str, hint: str) -> None:
        self.field = field
        self.rule = rule
        self.hint = hint
        super().__init__(f"{field}: {rule}. {hint}")


class WeakPassword(Malformed):
    """A new password breaks rules; ``rules`` are sentences for the person who chose it."""

    def __init__(self, rules: tuple[str, ...]) -> None:
        self.rules = rules
        super().__init__(f"The password cannot be used: {' '.join(rules)}")


class MalformedRequest(Malformed):
    """The request cannot be read at all."""

    def __init__(self, field: str, rule: str) -> None:
        self.field = field
        self.rule = rule
        super().__init__(f"{field} {rule}.")


class BadPattern(Malformed):
    """A rule's field is outside the dialect; ``item`` is its place in a list of rules, when there is one."""

    def __init__(self, field: str, position: int, rule: str, item: int | None = None) -> None:
        self.field = field
        self.position = position
        self.rule = rule
        self.item = item
        place = "" if item is None else f"item {item}: "
        super().__init__(f"{place}{field} {rule} (at character {position + 1}).")


class BadToken(Malformed):
    """A one-time token is unknown, used, expired or of another purpose; which one is not told."""

    def __init__(self) -> None:
        super().__init__("The link or code is not valid any more. Ask for a new one.")


class UnsupportedMedia(Malformed):
    """The body is of another type than the route reads."""

    def __init__(self, expected: str) -> None:
        self.expected = expected
        super().__init__(f"Send the body as {expected}.")


class NotProven(IdentityError):
    """The caller has not proved who they are, or not surely enough."""


class BadCredentials(NotProven):
    """The one answer to every failed sign-in."""

    def __init__(self) -> None:
        super().__init__("The e-mail address or the password is not correct.")


class MfaRequired(NotProven):
    """The password was right, the second step is due. ``mfa_token`` is a secret."""

    def __init__(self, mfa_token: str, methods: tuple[str, ...]) -> None:
        self.mfa_token = mfa_token
        self.methods = methods
        super().__init__("Enter a code of your authenticator app, or a recovery code.")


class SessionEnded(NotProven):
    """Refresh refused for any reason."""

    def __init__(self) -> None:
        super().__init__("The session has ended. Sign in again.")


class StepUpRequired(NotProven):
    """A fresh, strong proof is asked for."""

    def __init__(self, required_strength: str, max_age: int) -> None:
        self.required_strength = required_strength
        self.max_age = max_age
        super().__init__("Confirm that it is you, then repeat the request.")


class Denied(IdentityError):
    """The caller is known and may not do this."""


class ExceedsOwnRights(Denied):
    """Nobody gives more than they hold; ``excess`` is the first permission that the giver lacks."""

    def __init__(self, excess: str) -> None:
        self.excess = excess
        super().__init__(f"You cannot give {excess}: you do not hold it yourself.")


class RegistrationClosed(Denied):
    """People do not register themselves here."""

    def __init__(self) -> None:
        super().__init__("Registration is closed. Ask an administrator for an account.")


class BootstrapClosed(Denied):
    """The first administrator exists already."""

    def __init__(self) -> None:
        super().__init__("An administrator exists already; sign in as that person.")


class WeakSession(Denied):
    """The session is weaker than what the account has enrolled."""

    def __init__(self) -> None:
        super().__init__("Sign in with your strongest method to change this.")


class HumanOnly(Denied):
    """A machine asked for what only people may do."""

    def __init__(self) -> None:
        super().__init__("Only a person who is signed in may do this.")


class MachineOnly(Denied):
    """A person asked for what only machines need."""

    def __init__(self) -> None:
        super().__init__("Only a machine may do this.")


class NoCustodian(Denied):
    """Nobody active answers for the machine."""

    def __init__(self) -> None:
        super().__init__("Nobody who is active answers for this machine.")


class MachineMfaRequired(Denied):
    """A machine's key alone does not count here."""

    def __init__(self, mode: str, fix: str) -> None:
        self.mode = mode
        super().__init__(fix)


class ApprovalRequired(Denied):
    """Who answers for the machine has to approve this very act; ``act_hash`` is the act's without an approval."""

    def __init__(self, act_hash: str) -> None:
        self.act_hash = act_hash
        super().__init__(
            "A person who answers for this machine has to approve this act. Ask with POST /mfa/delegated/request, then "
            "repeat the same request with the header X-Approval."
        )


class ApprovalRefused(Denied):
    """The approval presented is not for this act, or not any more."""

    def __init__(self) -> None:
        super().__init__("The approval is not for this act, or it is used up. Ask for a new one.")


class ModelMismatch(Denied):
    """An agent declared a model that is not one of its own."""

    def __init__(self) -> None:
        super().__init__("The declared model is not one of this agent's. Name one of its model_spec.")


class NotCustodian(Denied):
    """Somebody else answers for the machine now."""

    def __init__(self) -> None:
        super().__init__("Only a person who answers for the machine at this moment decides.")


class MayNotDecide(Denied):
    """Others decide in that organization."""

    def __init__(self, domain: str) -> None:
        self.domain = domain
        super().__init__("You do not decide access requests there: it takes identity.requests.decide.")


class OwnRequest(Denied):
    """Nobody decides what they asked for themselves."""

    def __init__(self) -> None:
        super().__init__("Somebody else has to decide what you asked for, or get.")


class NotFound(IdentityError):
    """Unknown, or none of the caller's business; the two cannot be told apart."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(f"There is no such {what}.")


class Contradiction(IdentityError):
    """The command contradicts what is there."""


class Conflict(Contradiction):
    """The name or address is taken."""

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(f"The {field} is in use already.")


class LastWayIn(Contradiction):
    """Nobody could sign in to the account any more."""

    def __init__(self) -> None:
        super().__init__("This is the last way to sign in to the account. Set up another one first.")


class LastAdmin(Contradiction):
    """Nobody would be left who may do everything."""

    def __init__(self) -> None:
        super().__init__("This would leave no active platform administrator. Make another one first.")


class RoleCycle(Contradiction):
    """A role would hold itself, directly or through others."""

    def __init__(self, path: tuple[str, ...]) -> None:
        self.path = path
        super().__init__(f"The role would hold itself: {' -> '.join(path)}.")


class HasDependents(Contradiction):
    """Others would be left without what is to go; ``fix`` says what to do about them."""

    def __init__(self, dependents: tuple[str, ...], fix: str) -> None:
        self.dependents = dependents
        super().__init__(f"{len(dependents)} subject(s) depend on it. {fix}")


class AlreadyRotated(Contradiction):
    """The key has a successor."""

    def __init__(self) -> None:
        super().__init__("The key was rotated already. Rotate its successor.")


class AlreadyDecided(Contradiction):
    """Somebody decided first, or the time is over."""

    def __init__(self) -> None:
        super().__init__("It is decided, withdrawn or over already.")


class ActMismatch(Contradiction):
    """The decision names another act than the one that waits."""

    def __init__(self) -> None:
        super().__init__("The act_hash is not that of the act that waits. Look at it again.")


class KeyLimit(Contradiction):
    """The subject has as many keys as it may have."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"There are {limit} keys already. Revoke one that is not used any more.")


class ConfirmNeeded(Contradiction):
    """A further confirmation is due before this goes on; ``fix`` says which."""

    def __init__(self, fix: str) -> None:
        super().__init__(fix)


class NotReversible(Contradiction):
    """The change cannot be taken back; ``why`` says what stands against it."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"This change cannot be taken back: {why}.")


class Superseded(Contradiction):
    """What the change did has been changed again; ``by`` is the later change."""

    def __init__(self, by: str) -> None:
        self.by = by
        super().__init__("What this change did has been changed again since. Take the later change back first.")


class BackupIncompatible(Contradiction):
    """A newer version wrote the backup."""

    def __init__(self, theirs: str, ours: str) -> None:
        self.theirs = theirs
        super().__init__(f"The backup has schema {theirs}, this version knows {ours}. Upgrade first, then restore.")


class BackupCorrupt(IdentityError):
    """A backup was changed, cut, mixed, or made with another key; ``where`` is the first place that shows it."""

    def __init__(self, where: str) -> None:
        self.where = where
        super().__init__(f"The backup cannot be read at: {where}. Nothing was changed. Use another backup.")


class Stale(IdentityError):
    """The object changed since it was read."""

    def __init__(self) -> None:
        super().__init__("The object was changed by somebody else meanwhile. Read it again and repeat the change.")


class SignatureRequired(IdentityError):
    """This act is approved with a passkey only."""

    def __init__(self) -> None:
        super().__init__("Sign this act with a passkey. Set one up under Security if you have none.")


class TryLater(IdentityError):
    """Nothing is wrong that time does not mend; ``retry_after`` is in seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class TooManyRequests(TryLater):
    """A limit of volume is reached: of a network, of letters to one address, or of what one subject may have open."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many requests from here. Try again in {retry_after} seconds.", retry_after)


class TooManyAttempts(TryLater):
    """Guessing is slowed down."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many attempts. Try again in {retry_after} seconds.", retry_after)


class PolicyBehind(TryLater):
    """This process does not know the rules of that revision yet."""

    def __init__(self, wanted: int, known: int) -> None:
        self.wanted = wanted
        self.known = known
        super().__init__(f"The rules of revision {wanted} have not arrived here; known is {known}.", 1)


class StoreUnavailable(TryLater):
    """The store of backups does not answer."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__("The store of backups does not answer. See the log, and try again.", 30)


class Busy(TryLater):
    """The hashing queue is full."""

    def __init__(self, retry_after: int = 2) -> None:
        super().__init__("Many people are signing in at this moment. Try again in a few seconds.", retry_after)
