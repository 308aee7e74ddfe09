"""What a script may return: kinds of output, and the cap of each."""

from dataclasses import dataclass

from skriptoteket.core.json_values import JsonValue

CONTRACT = 1

OUTPUT_KINDS = ("notice", "markdown", "table", "json", "html", "file", "plot")
NOTICE_LEVELS = ("info", "warning", "error")

MAX_RESULT_BYTES = 2 * 1024 * 1024
MAX_NESTING = 64
MAX_OUTPUTS = 50
MAX_ACTIONS = 10
MAX_ACTION_FIELDS = 25
MAX_STATE_BYTES = 64 * 1024
MAX_PAYLOAD_BYTES = 512 * 1024
MAX_NOTICE_BYTES = 8 * 1024
MAX_MARKDOWN_BYTES = 64 * 1024
MAX_HTML_BYTES = 96 * 1024
MAX_JSON_BYTES = 96 * 1024
MAX_JSON_DEPTH = 10
MAX_JSON_KEYS = 1000
MAX_JSON_ITEMS = 2000
MAX_TABLE_ROWS = 750
MAX_TABLE_COLUMNS = 40
MAX_CELL_BYTES = 512
MAX_LABEL_BYTES = 200
MAX_PLOT_BYTES = 2 * 1024 * 1024
MAX_REFUSAL_BYTES = 8 * 1024

PLOT_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A collected file as normalising sees it: where it lies under ``output/`` and how big it is."""

    path: str
    bytes: int


@dataclass(frozen=True, slots=True)
class ScriptError:
    """What the entry code caught; for authors only."""

    type: str
    message: str
    errno: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A script's answer after normalising: every part is harmless, bounded and JSON.

    ``status`` is ``ok``, ``refused`` (then ``refusal`` is the text for the user), ``error``, or ``invalid`` when there
    was no
    readable answer (then ``problem`` says why, for the author).
    """

    status: str
    outputs: tuple[dict[str, JsonValue], ...] = ()
    next_actions: tuple[dict[str, JsonValue], ...] = ()
    state: dict[str, JsonValue] | None = None
    refusal: str = ""
    error: ScriptError | None = None
    problem: str = ""
