"""Each error of the core, its one RFC 9457 problem."""

from __future__ import annotations

import math

from au_sys_storage_sdk.core import errors
from fastapi_services_platform import ProblemMapping


def _retry_after(error: errors.Unavailable) -> dict[str, str]:
    return {"Retry-After": str(math.ceil(error.retry_after))}


PROBLEMS = (
    ProblemMapping(errors.NotFound, 404, "not-found", "Nothing is stored there"),
    ProblemMapping(
        errors.Conflict,
        412,
        "conflict",
        "The document has another version",
        extras=lambda error: {
            "expected": error.expected, "actual": error.actual, "namespace": error.namespace, "key": error.key,
        },
        headers=lambda error: {} if error.actual is None else {"ETag": f'"{error.actual}"'},
    ),
    ProblemMapping(
        errors.InvalidInput, 422, "invalid-input", "The request is not valid",
        extras=lambda error: {"field": error.field, "fix": error.fix},
    ),
    ProblemMapping(
        errors.OutsideRange, 416, "outside-range", "These bytes do not exist",
        extras=lambda error: {"size": error.size}, headers=lambda error: {"Content-Range": f"bytes */{error.size}"},
    ),
    ProblemMapping(errors.ConditionRequired, 428, "condition-required", "This namespace wants conditional writes"),
    ProblemMapping(errors.OutOfReach, 403, "out-of-reach", "This namespace belongs to the platform"),
    ProblemMapping(errors.NotPermitted, 403, "not-permitted", "The rules of this namespace name other callers"),
    ProblemMapping(errors.AccessDenied, 403, "access-denied", "The server behind the backend refuses the platform"),
    ProblemMapping(errors.KeyReused, 422, "key-reused", "The Idempotency-Key belongs to another request"),
    ProblemMapping(
        errors.Unfinished, 409, "unfinished", "The first request has left no answer",
        headers=lambda _error: {"Retry-After": "1"},
    ),
    ProblemMapping(
        errors.OffsetMismatch, 409, "offset-mismatch", "The part does not fit to the upload",
        extras=lambda error: {"expected_offset": error.expected, "provided_offset": error.given},
        headers=lambda error: {"Upload-Offset": str(error.expected)},
    ),
    ProblemMapping(
        errors.TooLarge, 413, "too-large", "Over a limit",
        extras=lambda error: {"limit": error.limit, "unit": error.unit},
    ),
    ProblemMapping(errors.Unsupported, 501, "unsupported", "The backend cannot do that"),
    ProblemMapping(errors.ReadOnly, 503, "read-only", "Storage takes no writes at present"),
    ProblemMapping(errors.Fenced, 503, "fenced", "Storage has moved to another backend"),
    ProblemMapping(
        errors.FeedCompacted, 410, "feed-compacted", "The change feed does not reach back that far",
        extras=lambda error: {"snapshot_seq": error.snapshot_seq},
    ),
    ProblemMapping(errors.Corrupt, 500, "corrupt", "What is stored is damaged"),
    ProblemMapping(errors.InUse, 503, "in-use", "Another process holds the files", headers=_retry_after),
    ProblemMapping(errors.OutcomeUnknown, 503, "outcome-unknown", "The write may still commit", headers=_retry_after),
    ProblemMapping(errors.Unavailable, 503, "unavailable", "Storage does not answer at present", headers=_retry_after),
)  # fmt: skip
"""In the order of the tree in the errors' docstring."""
