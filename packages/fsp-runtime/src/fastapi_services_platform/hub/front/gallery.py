"""What the page of all components shows in its table: filtered, sorted and cut into pages on the server."""

from dataclasses import dataclass
from urllib.parse import urlencode

_PAGE = 4


@dataclass(frozen=True, slots=True)
class SampleRun:
    """One row."""

    tool: str
    person: str
    state: str
    seconds: float
    rows: int


RUNS = (
    SampleRun("Absence report", "Grace Hopper", "failed", 0.4, 0),
    SampleRun("Class register", "Alan Turing", "running", 0.0, 0),
    SampleRun("Guardian list", "Ada Lovelace", "succeeded", 1.2, 240),
    SampleRun("Guardian list", "Grace Hopper", "succeeded", 0.9, 212),
    SampleRun("Lunch orders", "Katherine Johnson", "succeeded", 2.1, 1_204),
    SampleRun("Pupil photos", "Alan Turing", "queued", 0.0, 0),
    SampleRun("Room plan", "Ada Lovelace", "succeeded", 3.4, 96),
    SampleRun("Timetable", "Katherine Johnson", "failed", 5.0, 12),
)
_KEYS = ("tool", "person", "seconds", "rows")


@dataclass(frozen=True, slots=True)
class SampleTable:
    """A page of rows. ``address`` keeps the filter and awaits an order, ``page_address`` both and awaits a page."""

    rows: tuple[SampleRun, ...]
    query: str
    order: str
    page: int
    pages: int
    address: str
    page_address: str


def sample_table(query: str, order: str, page: int) -> SampleTable:
    """Rows that hold the words; an order or a page that there is not is the first."""
    key = order.removeprefix("-")
    used = order if key in _KEYS else "tool"
    found = [run for run in RUNS if query.casefold() in f"{run.tool} {run.person}".casefold()]
    found.sort(key=lambda run: getattr(run, used.removeprefix("-")), reverse=used.startswith("-"))
    pages = max(1, -(-len(found) // _PAGE))
    shown = page if 1 <= page <= pages else 1
    rows = tuple(found[(shown - 1) * _PAGE : shown * _PAGE])
    base = "/platform/components?" + urlencode({"q": query})
    return SampleTable(rows, query, used, shown, pages, f"{base}&order=", f"{base}&order={used}&page=")
