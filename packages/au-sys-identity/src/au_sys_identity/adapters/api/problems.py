"""Each core error, its problem."""

from au_sys_identity.core import errors
from au_sys_identity.core.directories import errors as directories
from au_sys_identity.core.graph import errors as graph
from au_sys_identity.core.settings import errors as settings
from fastapi_services_platform import ProblemMapping, Refused


def _retry_after(error: errors.TryLater) -> dict[str, str]:
    return {"retry-after": str(error.retry_after)}


PROBLEMS: tuple[ProblemMapping, ...] = (
    ProblemMapping(
        errors.InvalidInput,
        422,
        "invalid-input",
        "A field cannot be used",
        extras=lambda error: {"errors": [{"field": error.field, "rule": error.rule, "hint": error.hint}]},
    ),
    ProblemMapping(
        errors.WeakPassword,
        422,
        "weak-password",
        "The password cannot be used",
        extras=lambda error: {"rules": list(error.rules)},
    ),
    ProblemMapping(
        errors.BadPattern,
        422,
        "bad-pattern",
        "A rule is outside the dialect",
        extras=lambda error: {
            "errors": [{"field": error.field, "rule": error.rule, "position": error.position, "item": error.item}]
        },
    ),
    ProblemMapping(errors.MalformedRequest, 400, "malformed-request", "The request cannot be read"),
    ProblemMapping(errors.BadToken, 400, "bad-token", "The link or code is not valid"),
    ProblemMapping(errors.UnsupportedMedia, 415, "unsupported-media-type", "Unsupported media type"),
    ProblemMapping(errors.BadCredentials, 401, "bad-credentials", "Sign-in failed"),
    ProblemMapping(
        errors.MfaRequired,
        401,
        "mfa-required",
        "The second step is due",
        extras=lambda error: {"mfa_token": error.mfa_token, "methods": list(error.methods)},
    ),
    ProblemMapping(errors.SessionEnded, 401, "session-ended", "The session has ended"),
    ProblemMapping(
        errors.StepUpRequired,
        401,
        "step-up-required",
        "Confirm that it is you",
        extras=lambda error: {"required_strength": error.required_strength, "max_age": error.max_age},
        headers=lambda error: {
            "www-authenticate": f'Bearer error="insufficient_user_authentication", max_age="{error.max_age}"'
        },
    ),
    ProblemMapping(
        errors.ExceedsOwnRights,
        403,
        "exceeds-own-rights",
        "More than you hold yourself",
        extras=lambda error: {"excess": error.excess},
    ),
    ProblemMapping(errors.RegistrationClosed, 403, "registration-closed", "Registration is closed"),
    ProblemMapping(errors.BootstrapClosed, 403, "bootstrap-closed", "There is an administrator already"),
    ProblemMapping(errors.WeakSession, 403, "weak-session", "A stronger sign-in is needed"),
    ProblemMapping(errors.HumanOnly, 403, "human-only", "For people only"),
    ProblemMapping(errors.MachineOnly, 403, "machine-only", "For machines only"),
    ProblemMapping(errors.NoCustodian, 403, "no-custodian", "Nobody answers for this machine"),
    ProblemMapping(
        errors.MachineMfaRequired,
        403,
        "machine-mfa-required",
        "The key alone does not count here",
        extras=lambda error: {"mode": error.mode},
    ),
    ProblemMapping(
        errors.ApprovalRequired,
        403,
        "approval-required",
        "A person has to approve this act",
        extras=lambda error: {"act_hash": error.act_hash, "request_url": "/mfa/delegated/request"},
    ),
    ProblemMapping(errors.ApprovalRefused, 403, "approval-refused", "The approval does not fit"),
    ProblemMapping(errors.ModelMismatch, 403, "model-mismatch", "Another model"),
    ProblemMapping(errors.NotCustodian, 403, "not-custodian", "Somebody else answers for it"),
    ProblemMapping(
        errors.MayNotDecide,
        403,
        "denied",
        "Others decide this",
        extras=lambda error: {"permission": "identity.requests.decide", "domain": error.domain},
    ),
    ProblemMapping(errors.OwnRequest, 403, "denied", "Somebody else decides this"),
    ProblemMapping(errors.NotFound, 404, "not-found", "Not found"),
    ProblemMapping(errors.Conflict, 409, "conflict", "In use already", extras=lambda error: {"field": error.field}),
    ProblemMapping(
        errors.RoleCycle, 409, "role-cycle", "A role would hold itself", extras=lambda error: {"path": list(error.path)}
    ),
    ProblemMapping(errors.LastWayIn, 409, "last-way-in", "The last way to sign in"),
    ProblemMapping(errors.LastAdmin, 409, "last-admin", "The last administrator"),
    ProblemMapping(
        errors.HasDependents,
        409,
        "has-dependents",
        "Still in use",
        extras=lambda error: {"dependents": list(error.dependents)},
    ),
    ProblemMapping(errors.AlreadyDecided, 409, "already-decided", "Decided already"),
    ProblemMapping(errors.ActMismatch, 409, "act-mismatch", "Another act"),
    ProblemMapping(errors.AlreadyRotated, 409, "already-rotated", "The key has a successor"),
    ProblemMapping(errors.KeyLimit, 409, "key-limit", "Too many keys", extras=lambda error: {"limit": error.limit}),
    ProblemMapping(errors.ConfirmNeeded, 409, "confirm-needed", "A confirmation is due"),
    ProblemMapping(directories.LoginLinkedElsewhere, 409, "login-linked-elsewhere", "Linked to another account"),
    ProblemMapping(settings.SettingPinned, 409, "setting-pinned", "Set in the environment"),
    ProblemMapping(
        settings.WeakerSetting,
        409,
        "weaker-setting",
        "Weaker than now",
        extras=lambda error: {"settings": list(error.settings)},
    ),
    ProblemMapping(errors.NotReversible, 409, "not-reversible", "It cannot be taken back"),
    ProblemMapping(errors.Superseded, 409, "superseded", "Changed again since", extras=lambda error: {"by": error.by}),
    ProblemMapping(errors.BackupIncompatible, 409, "backup-incompatible", "A newer version wrote the backup"),
    ProblemMapping(
        errors.BackupCorrupt,
        422,
        "backup-corrupt",
        "The backup cannot be read",
        extras=lambda error: {"where": error.where},
    ),
    ProblemMapping(directories.SyncRunning, 409, "sync-running", "A run is under way"),
    ProblemMapping(directories.SyncThreshold, 409, "sync-threshold", "Too many would be switched off"),
    ProblemMapping(
        graph.NotPermitted,
        403,
        "denied",
        "Not permitted",
        extras=lambda error: {"permission": error.permission, "domain": error.domain},
    ),
    ProblemMapping(
        graph.RelationNotAllowed,
        422,
        "relation-not-allowed",
        "Not a relation between these",
        extras=lambda error: {"relation": error.relation},
    ),
    ProblemMapping(graph.Cycle, 409, "cycle", "A circle", extras=lambda error: {"path": list(error.path)}),
    ProblemMapping(graph.GraphTooDeep, 409, "graph-too-deep", "Too deep"),
    ProblemMapping(
        graph.LastCustodian,
        409,
        "last-custodian",
        "Nobody would answer for a machine",
        extras=lambda error: {"machines": list(error.machines)},
    ),
    ProblemMapping(errors.Stale, 412, "stale", "Changed meanwhile"),
    ProblemMapping(errors.SignatureRequired, 422, "signature-required", "A signature is due"),
    ProblemMapping(errors.TooManyRequests, 429, "too-many-requests", "Too many requests", headers=_retry_after),
    ProblemMapping(errors.TooManyAttempts, 429, "too-many-attempts", "Too many attempts", headers=_retry_after),
    ProblemMapping(
        directories.DirectoryUnreachable,
        502,
        "directory-unreachable",
        "The directory does not answer",
        headers=_retry_after,
    ),
    ProblemMapping(
        directories.ProviderUnreachable,
        502,
        "provider-unreachable",
        "The provider does not answer",
        headers=_retry_after,
    ),
    ProblemMapping(errors.PolicyBehind, 503, "policy-behind", "The rules have not arrived here", headers=_retry_after),
    ProblemMapping(
        errors.StoreUnavailable, 503, "store-unavailable", "The store does not answer", headers=_retry_after
    ),
    ProblemMapping(errors.Busy, 503, "busy", "Busy at this moment", headers=_retry_after),
)

_BY_ERROR = {mapping.error: mapping for mapping in PROBLEMS}


def refusal(error: errors.IdentityError) -> Refused:
    """The same problem where no endpoint raised it: on the way in."""
    mapping = next((found for kind in type(error).__mro__ if (found := _BY_ERROR.get(kind))), None)
    if mapping is None:
        raise error
    extras = mapping.extras(error) if mapping.extras else {}
    headers = mapping.headers(error) if mapping.headers else {}
    return Refused(
        f"identity/{mapping.slug}", str(error), mapping.status, tuple(headers.items()), tuple(extras.items())
    )
