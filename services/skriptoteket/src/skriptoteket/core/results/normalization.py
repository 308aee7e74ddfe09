"""Untrusted output to safe blocks: total, deterministic, idempotent; whatever was cut is told in a notice.

It is pure and slow enough to stay out of the web process: the worker calls it in a thread.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from skriptoteket.core.fields.schema import check_schema, normal_form
from skriptoteket.core.fields.values import accept_value
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.results.blocks import NORMALISERS, Block, Files, text_of
from skriptoteket.core.results.contract import (
    CONTRACT,
    MAX_ACTION_FIELDS,
    MAX_ACTIONS,
    MAX_OUTPUTS,
    MAX_PAYLOAD_BYTES,
    MAX_REFUSAL_BYTES,
    MAX_STATE_BYTES,
    Answer,
    OutputFile,
    ScriptError,
)
from skriptoteket.core.results.harmless_text import clean_text, cut_text
from skriptoteket.core.results.reading import Unreadable, read_result, refuse

_MEDIA_TYPES = {
    ".csv": "text/csv",
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
    ".ics": "text/calendar",
    ".zip": "application/zip",
    ".html": "text/html",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]+")
_MAX_SYSTEM_NOTICES = 20


def artifact_ids(paths: Sequence[str]) -> dict[str, str]:
    """An id for each path: lower case, other characters as ``_``, a number behind it where two would be equal."""
    ids: dict[str, str] = {}
    taken: set[str] = set()
    for path in paths:
        stem = _NOT_ALPHANUMERIC.sub("_", path.lower()).strip("_")[:120] or "file"
        candidate, number = stem, 2
        while candidate in taken:
            candidate = f"{stem}_{number}"
            number += 1
        taken.add(candidate)
        ids[path] = candidate
    return ids


def media_type(path: str) -> str:
    """The media type that a file is delivered with."""
    return _MEDIA_TYPES.get(PurePosixPath(path).suffix.lower(), "application/octet-stream")


def normalize(raw: bytes | None, files: Sequence[OutputFile]) -> Answer:
    """A script's answer as safe, bounded blocks. It never raises; what cannot be read has ``status`` ``invalid``."""
    if raw is None:
        return Answer("invalid", problem="result.json was not written")
    try:
        return _answer(read_result(raw), files)
    except Unreadable as error:
        return Answer("invalid", problem=cut_text(clean_text(str(error)), 2_000)[0])


def _answer(found: Mapping[str, object], files: Sequence[OutputFile]) -> Answer:
    if found.get("contract") != CONTRACT or isinstance(found.get("contract"), bool):
        refuse(f"unknown contract {text_of(str(found.get('contract')))!r}; this library speaks {CONTRACT}")
    status = found.get("status")
    error = _error(found.get("error"))
    if status == "refused":
        text = error.message if error else ""
        return Answer("refused", refusal=cut_text(text, MAX_REFUSAL_BYTES)[0], error=error)
    if status == "error":
        return Answer("error", error=error)
    if status != "ok":
        refuse(f"unknown status {text_of(str(status))!r}")
    notes: list[str] = []
    outputs = _outputs(found.get("outputs"), files, notes)
    actions = _actions(found.get("next_actions"), notes)
    state = _state(found.get("state"), notes)
    outputs, actions = _within_payload(outputs, actions, notes)
    notices: list[Block] = [{"kind": "notice", "level": "warning", "message": text, "system": True} for text in notes]
    if len(notices) > _MAX_SYSTEM_NOTICES:
        more = f"{len(notices) - _MAX_SYSTEM_NOTICES + 1} more parts of the result were left out or shortened."
        notices = [
            *notices[: _MAX_SYSTEM_NOTICES - 1],
            {"kind": "notice", "level": "warning", "message": more, "system": True},
        ]
    return Answer("ok", outputs=(*outputs, *notices), next_actions=tuple(actions), state=state, error=None)


def _error(raw: object) -> ScriptError | None:
    if not isinstance(raw, Mapping):
        return None
    number = raw.get("errno")
    message = cut_text(clean_text(str(raw.get("message") or "")), MAX_REFUSAL_BYTES)[0]
    known = number if isinstance(number, int) and not isinstance(number, bool) and abs(number) < 10_000 else None
    return ScriptError(text_of(str(raw.get("type") or "")), message, known)


def _outputs(raw: object, files: Sequence[OutputFile], notes: list[str]) -> list[Block]:
    if raw is None:
        return []
    if not isinstance(raw, list):
        notes.append("The list of outputs could not be read.")
        return []
    if len(raw) > MAX_OUTPUTS:
        notes.append(f"The tool returned {len(raw)} outputs; the first {MAX_OUTPUTS} are shown.")
    known = Files({file.path: file.bytes for file in files}, artifact_ids([file.path for file in files]))
    blocks = []
    for item in raw[:MAX_OUTPUTS]:
        kind = item.get("kind") if isinstance(item, Mapping) else None
        normalise = NORMALISERS.get(kind) if isinstance(kind, str) else None
        if normalise is None:
            notes.append(f"An output of the unknown kind {text_of(str(kind)) or '?'} was left out.")
            continue
        block = normalise(item, known, notes.append)
        if block is not None:
            blocks.append(block)
    return blocks


def _actions(raw: object, notes: list[str]) -> list[Block]:
    if raw is None:
        return []
    if not isinstance(raw, list):
        notes.append("The list of next actions could not be read.")
        return []
    if len(raw) > MAX_ACTIONS:
        notes.append(f"The tool offers {len(raw)} actions; the first {MAX_ACTIONS} are shown.")
    actions: list[Block] = []
    seen: set[str] = set()
    for item in raw[:MAX_ACTIONS]:
        action_id = text_of(item.get("action_id")) if isinstance(item, Mapping) else ""
        if not action_id:
            notes.append("An action without an id was left out.")
            continue
        if action_id in seen:
            refuse(f"the action id {action_id!r} is used twice")
        seen.add(action_id)
        action = _action(action_id, item, notes)
        if action is not None:
            actions.append(action)
    return actions


def _action(action_id: str, item: Mapping[str, object], notes: list[str]) -> Block | None:
    fields = item.get("fields") or []
    label = text_of(item.get("label")) or action_id
    if not isinstance(fields, list) or len(fields) > MAX_ACTION_FIELDS or check_schema(fields, "action"):
        notes.append(f"The action {label} has fields that cannot be shown, and was left out.")
        return None
    stored = normal_form(_clean_fields(fields))
    by_name = {str(field["name"]): field for field in stored}
    prefill: dict[str, JsonValue] = {}
    given = item.get("prefill")
    for name, value in given.items() if isinstance(given, Mapping) else ():
        accepted, problem = accept_value(by_name[name], value) if name in by_name else (None, ("unknown", ""))
        if problem:
            notes.append(f"A prepared value of the action {label} did not fit and was left out.")
        else:
            prefill[name] = accepted
    return {"action_id": action_id, "label": label, "fields": [dict(field) for field in stored], "prefill": prefill}


def _clean_fields(value: list[object]) -> list[dict[str, JsonValue]]:
    return [dict(item) for item in _clean(value) if isinstance(item, dict)]  # type: ignore[union-attr]  # a list goes in


def _clean(value: object) -> JsonValue:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, Mapping):
        return {clean_text(str(key)): _clean(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_clean(each) for each in value]
    return value if value is None or isinstance(value, bool | int | float) else None


def _state(raw: object, notes: list[str]) -> dict[str, JsonValue] | None:
    if raw is None:
        return None
    state = _clean(raw)
    if not isinstance(state, dict):
        notes.append("The state of the tool could not be kept.")
        return None
    if len(json.dumps(state, ensure_ascii=False).encode()) > MAX_STATE_BYTES:
        notes.append("The state of the tool was too big to be kept.")
        return None
    return state


def _within_payload(outputs: list[Block], actions: list[Block], notes: list[str]) -> tuple[list[Block], list[Block]]:
    outputs, actions = list(outputs), list(actions)
    sizes = {id(block): len(json.dumps(block, ensure_ascii=False).encode()) for block in (*outputs, *actions)}
    total = sum(sizes.values())
    dropped = 0
    while total > MAX_PAYLOAD_BYTES:
        place = next((index for index in range(len(outputs) - 1, -1, -1) if outputs[index]["kind"] != "notice"), None)
        if place is None and not actions:
            break
        block = outputs.pop(place) if place is not None else actions.pop()
        total -= sizes[id(block)]
        dropped += 1
    if dropped:
        notes.append(f"The result was too big: the last {dropped} parts of it were left out.")
    return outputs, actions
