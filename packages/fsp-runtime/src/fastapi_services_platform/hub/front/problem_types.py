"""What each problem type means, for the page behind its URI."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi_services_platform.capability.contribution import ProblemMapping


@dataclass(frozen=True, slots=True)
class DescribedProblem:
    """A problem type for people. ``status`` is ``None`` where it varies."""

    capability: str
    slug: str
    title: str
    status: int | None
    meaning: str
    advice: str


_MEANINGS: Mapping[str, tuple[int | None, str, str, str]] = {
    "not-found": (
        404,
        "Not found",
        "There is nothing under this address.",
        "Check the address, or start from the hub.",
    ),
    "method-not-allowed": (
        405,
        "Method not allowed",
        "The address exists, but not for this HTTP method.",
        "Use one of the methods in the Allow header.",
    ),
    "invalid-request": (
        422,
        "The request does not fit",
        "A field is missing, has the wrong type or breaks a rule.",
        "`errors` names each field, the rule and the message. Correct them and repeat.",
    ),
    "authentication-required": (
        401,
        "Sign in first",
        "The address is for signed-in callers.",
        "Sign in, or send a valid token in the Authorization header.",
    ),
    "permission-denied": (
        403,
        "Not allowed",
        "You are signed in, but lack the permission that `permission` names.",
        "Ask an administrator for a role that holds it.",
    ),
    "no-authenticator": (
        503,
        "Nobody can say who you are",
        "No capability provides authentication.",
        "Operators: install and switch on a capability that provides authenticator@1.",
    ),
    "authentication-unavailable": (
        503,
        "Sign-in is not available",
        "The capability that checks credentials failed.",
        "Try again in a moment. Operators: see the log under the correlation id.",
    ),
    "authorization-unavailable": (
        503,
        "Permissions cannot be checked",
        "The capability that decides failed.",
        "Try again in a moment. Operators: see the log under the correlation id.",
    ),
    "upstream-unavailable": (
        503,
        "Something behind this is not available",
        "A system that the platform calls failed so often that it is left alone for a while.",
        "Try again after Retry-After. Operators: the breakers page names the system.",
    ),
    "capability-unavailable": (
        503,
        "Not available at the moment",
        "The capability behind this address did not start.",
        "It is tried again by itself. Operators: see the page Capabilities for the reason.",
    ),
    "store-unavailable": (
        503,
        "Busy at this moment",
        "Many changes wait for the database; this one was not made.",
        "Repeat after `Retry-After`.",
    ),
    "starting": (503, "The platform is starting", "Requests are taken in a moment.", "Repeat after `Retry-After`."),
    "csrf-token": (
        403,
        "The form's token does not fit",
        "The form is too old, or came from another place.",
        "Load the page again and repeat.",
    ),
    "cross-site": (
        403,
        "Request from another site",
        "Changes are accepted from the platform's own pages only.",
        "Programs: send a token in the Authorization header instead of a cookie.",
    ),
    "body-too-large": (
        413,
        "The request is too large",
        "The body is larger than this address takes.",
        "Send less, or ask the operator to raise the limit.",
    ),
    "request-timeout": (
        504,
        "The request took too long",
        "The answer was not ready in time.",
        "Repeat it. If it happens again, tell the operator the correlation id.",
    ),
    "unknown-host": (
        400,
        "Unknown host",
        "The platform does not answer for this host name.",
        "Operators: add the name to FSP_TRUSTED_HOSTS.",
    ),
    "internal-error": (
        500,
        "Something went wrong here",
        "The platform failed; the cause is in its log.",
        "Tell the operator the correlation id.",
    ),
    "sign-in": (303, "Sign in first", "The page is for signed-in people.", "You are sent to the sign-in page."),
}


def describe(capability: str, slug: str, mapped: Mapping[str, ProblemMapping]) -> DescribedProblem | None:
    """The description of a problem type, or ``None`` when nobody answers with it."""
    if capability == "platform" and slug in _MEANINGS:
        status, title, meaning, advice = _MEANINGS[slug]
        return DescribedProblem(capability, slug, title, status, meaning, advice)
    mapping = mapped.get(f"{capability}/{slug}")
    if mapping is None:
        return None
    meaning = (mapping.error.__doc__ or mapping.title).strip().splitlines()[0]
    advice = "The `detail` of the answer says what was wrong and how to mend it."
    return DescribedProblem(capability, slug, mapping.title, mapping.status, meaning, advice)
