"""Decide how a run ended: the first cause wins, and every cause has its own outcome."""

import errno
from collections.abc import Mapping

from skriptoteket.core.results.contract import Answer, ScriptError
from skriptoteket.core.runs.models import PUBLIC_MESSAGES, Limits, Outcome, OutcomeCode
from skriptoteket.core.runs.sandbox import Exited, ForbiddenOutput, OutputOverLimit

OUTCOME_OF_KILL: Mapping[str, OutcomeCode] = {
    "timeout": OutcomeCode.TIMEOUT,
    "cancelled": OutcomeCode.CANCELLED,
    "drain": OutcomeCode.CANCELLED,
    "output_limit": OutcomeCode.OUTPUT_LIMIT,
    "out_of_memory": OutcomeCode.OUT_OF_MEMORY,
    "disk_limit": OutcomeCode.DISK_LIMIT,
    "infrastructure": OutcomeCode.INFRASTRUCTURE,
}
"""What a kill by the worker or the sandbox means for the run."""

_DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def decide(
    exited: Exited, answer: Answer | None, problem: OutputOverLimit | ForbiddenOutput | None, limits: Limits
) -> Outcome:
    """The outcome of a run whose processes are all dead.

    ``answer`` is the normalised result; ``problem`` is what kept result or artifacts from being collected. A kill keeps
    its reason; then memory, disk, the script's own answer, its exit, its output and at last the contract decide.
    """
    code, detail = _cause(exited, answer, problem)
    message = PUBLIC_MESSAGES[code]
    if code is OutcomeCode.INPUT_REFUSED and answer is not None and answer.refusal:
        message = answer.refusal
    if code is OutcomeCode.TIMEOUT:
        message = f"The tool took longer than {limits.wall_seconds} seconds."
    return Outcome(code, message, detail, exited.code, exited.signal)


def _cause(
    exited: Exited, answer: Answer | None, problem: OutputOverLimit | ForbiddenOutput | None
) -> tuple[OutcomeCode, str]:
    error = None if answer is None else answer.error
    if exited.reason is not None:
        code = OUTCOME_OF_KILL.get(exited.reason, OutcomeCode.INFRASTRUCTURE)
        return code, exited.detail or _told(error)
    if error is not None and error.type == "MemoryError":
        return OutcomeCode.OUT_OF_MEMORY, _told(error)
    if error is not None and error.errno in _DISK_ERRORS:
        return OutcomeCode.DISK_LIMIT, _told(error)
    if answer is not None and answer.status == "refused":
        return OutcomeCode.INPUT_REFUSED, ""
    if answer is not None and answer.status == "error":
        return OutcomeCode.SCRIPT_ERROR, _told(error)
    if exited.signal is not None:
        return OutcomeCode.SCRIPT_ERROR, f"The script was ended by signal {exited.signal}."
    if exited.code != 0:
        return OutcomeCode.SCRIPT_ERROR, f"The script ended with exit code {exited.code}."
    return _kept(answer, problem)


def _kept(answer: Answer | None, problem: OutputOverLimit | ForbiddenOutput | None) -> tuple[OutcomeCode, str]:
    if isinstance(problem, OutputOverLimit):
        return OutcomeCode.OUTPUT_LIMIT, problem.what
    if problem is not None:
        return OutcomeCode.CONTRACT_VIOLATION, problem.what
    if answer is None or answer.status != "ok":
        return OutcomeCode.CONTRACT_VIOLATION, "no result" if answer is None else answer.problem
    return OutcomeCode.OK, ""


def _told(error: ScriptError | None) -> str:
    return "" if error is None else f"{error.type}: {error.message}".rstrip(": ")
