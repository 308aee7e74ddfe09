"""Each core error and the RFC 9457 problem it becomes; a test fails for a leaf without an entry."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi_services_platform import ProblemMapping
from skriptoteket.core.errors import (
    Conflict,
    DatabaseBusy,
    Expired,
    Fenced,
    Forbidden,
    FourEyesRequired,
    IdempotencyKeyReused,
    IllegalMove,
    MalformedUpload,
    NotAcceptable,
    NotFound,
    PayloadTooLarge,
    QueueFull,
    RunnerUnavailable,
    SkriptoteketError,
    StepUpRequired,
    StorageUnavailable,
    TooManyRuns,
    TooManyStreams,
    ValidationFailed,
)

CODES_OF_THE_PLATFORM: Mapping[str | int, str] = {
    "csrf-token": "CSRF_FAILED",
    "cross-site": "CSRF_FAILED",
    "store-unavailable": "DATABASE_BUSY",
    400: "MALFORMED_REQUEST",
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "VALIDATION_ERROR",
    429: "RATE_LIMITED",
    500: "INTERNAL_ERROR",
}
"""What the library calls the problems that the platform tells before, or instead of, one of its verbs."""

Extras = Callable[[Any], dict[str, object]]  # Any: each mapping is called with its own error class


def problems() -> tuple[ProblemMapping, ...]:
    """What the platform registers."""
    return (
        _problem(NotFound, 404, "not-found", "Not found", "NOT_FOUND"),
        _problem(Forbidden, 403, "forbidden", "Not allowed", "FORBIDDEN"),
        _problem(FourEyesRequired, 403, "four-eyes-required", "A second person decides", "FOUR_EYES_REQUIRED"),
        _problem(
            StepUpRequired,
            403,
            "step-up-required",
            "Prove who you are",
            "STEP_UP_REQUIRED",
            lambda e: {"wanted": e.wanted},
        ),
        _problem(Conflict, 409, "conflict", "Somebody was faster", "CONFLICT", _conflict),
        _problem(Fenced, 409, "conflict", "The run is with another worker", "CONFLICT"),
        _problem(IllegalMove, 409, "conflict", "Not in this state", "CONFLICT", _conflict),
        _problem(
            Expired, 410, "expired", "Removed when its time was over", "EXPIRED", lambda error: {"expired_at": error.at}
        ),
        _problem(MalformedUpload, 400, "malformed-request", "The upload cannot be read", "MALFORMED_REQUEST"),
        _problem(
            NotAcceptable,
            406,
            "not-acceptable",
            "No answer of this kind",
            "NOT_ACCEPTABLE",
            lambda e: {"offered": e.offered},
        ),
        _problem(PayloadTooLarge, 413, "payload-too-large", "Too much at once", "PAYLOAD_TOO_LARGE"),
        _problem(ValidationFailed, 422, "validation-error", "Something does not fit", "VALIDATION_ERROR", _issues),
        _problem(
            IdempotencyKeyReused,
            422,
            "idempotency-key-reused",
            "The key stands for something else",
            "IDEMPOTENCY_KEY_REUSED",
        ),
        _problem(TooManyRuns, 429, "too-many-runs", "You have enough runs waiting", "TOO_MANY_RUNS", _retry),
        _problem(TooManyStreams, 429, "too-many-streams", "You follow enough runs live", "TOO_MANY_STREAMS", _retry),
        _problem(QueueFull, 503, "queue-full", "The queue is full", "QUEUE_FULL", _retry),
        _problem(
            RunnerUnavailable, 503, "runner-unavailable", "Tools cannot be run right now", "RUNNER_UNAVAILABLE", _runner
        ),
        _problem(
            StorageUnavailable,
            503,
            "storage-unavailable",
            "Files cannot be kept right now",
            "STORAGE_UNAVAILABLE",
            _retry,
        ),
        _problem(DatabaseBusy, 503, "database-busy", "The database is busy", "DATABASE_BUSY", _retry),
    )


def _problem(
    error: type[SkriptoteketError], status: int, slug: str, title: str, code: str, extras: Extras | None = None
) -> ProblemMapping:
    def members(raised: Any) -> dict[str, object]:  # Any: as above
        return {"code": code, **(extras(raised) if extras is not None else {})}

    return ProblemMapping(error, status, slug, title, members, _headers)


def _headers(error: Any) -> dict[str, str]:  # Any: as above
    after = getattr(error, "retry_after", None)
    return {"retry-after": str(after)} if after is not None else {}


def _conflict(error: Conflict) -> dict[str, object]:
    return {"reason": error.reason, **error.facts}


def _issues(error: ValidationFailed) -> dict[str, object]:
    return {"errors": [{"field": issue.field, "code": issue.code, "message": issue.message} for issue in error.issues]}


def _retry(error: TooManyRuns | TooManyStreams | QueueFull | StorageUnavailable | DatabaseBusy) -> dict[str, object]:
    return {"retry_after": error.retry_after}


def _runner(error: RunnerUnavailable) -> dict[str, object]:
    return {"missing": list(error.missing), "fix": error.fix, "retry_after": error.retry_after}
