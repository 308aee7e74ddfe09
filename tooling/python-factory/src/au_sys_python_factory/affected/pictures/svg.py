"""A graph as SVG: no program from outside, the same bytes for the same graph, readable in light and in dark."""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from au_sys_python_factory.affected.pictures.model import Arrow, Box, Graph

_LETTER, _HEIGHT, _PAD, _GAP, _FLOOR, _MARGIN = 7.4, 30, 14, 22, 96, 24
_WIDEST = 1100
"""Pixels; a floor with more boxes than fit goes on in another row."""

_STYLE = """
  svg { font: 13px ui-monospace, SFMono-Regular, Menlo, monospace; background: #fff; color: #1c2430 }
  .box { fill: #eef2f7; stroke: #8492a6 } .name { fill: #1c2430; text-anchor: middle }
  .arrow { fill: none; stroke: #8492a6; stroke-width: 1.2 } .head { fill: #8492a6 }
  .wrong { stroke: #c62828; stroke-width: 2.4 } .wronghead { fill: #c62828 }
  @media (prefers-color-scheme: dark) {
    svg { background: #12171f } .box { fill: #1f2835; stroke: #6b7a90 } .name { fill: #e6ebf2 }
    .arrow { stroke: #6b7a90 } .head { fill: #6b7a90 } .wrong { stroke: #ff6b6b } .wronghead { fill: #ff6b6b }
  }
"""

Place = tuple[float, float, float]
"""Middle of a box, its top, its width."""


def drawn(graph: Graph) -> str:
    """The whole document, with a title and a description for whoever does not see it."""
    places, width, height = _placed(graph)
    boxes = "\n".join(_box(box, places[box.name]) for box in graph.boxes)
    known = [arrow for arrow in graph.arrows if arrow.source in places and arrow.target in places]
    arrows = "\n".join(_arrow(arrow, places) for arrow in known)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title description" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}">\n'
        f'<title id="title">{escape(graph.title)}</title>\n'
        f'<desc id="description">{escape(described(graph))}</desc>\n'
        f"<style>{_STYLE}</style>\n"
        f"<defs>{_head('end', 'head')}{_head('wrongend', 'wronghead')}</defs>\n{arrows}\n{boxes}\n</svg>\n"
    )


def described(graph: Graph) -> str:
    """The picture in words."""
    parts = [f"{len(graph.boxes)} boxes, {len(graph.arrows)} arrows."]
    parts += [f"{arrow.source} imports {arrow.target} against rule {arrow.wrong}." for arrow in graph.wrong]
    parts += [f"{arrow.source} imports {arrow.target} ({arrow.imports})." for arrow in graph.arrows if not arrow.wrong]
    return " ".join(parts)


def _width(box: Box) -> float:
    return len(box.label) * _LETTER + 2 * _PAD


def _rows(graph: Graph) -> Iterator[list[Box]]:
    for floor in graph.floors:
        row: list[Box] = []
        for box in floor:
            if row and sum(_width(item) + _GAP for item in row) + _width(box) > _WIDEST:
                yield row
                row = []
            row.append(box)
        yield row


def _placed(graph: Graph) -> tuple[dict[str, Place], float, float]:
    rows = list(_rows(graph))
    widths = [sum(_width(box) for box in row) + _GAP * (len(row) - 1) for row in rows]
    whole = max(widths, default=0)
    places: dict[str, Place] = {}
    for number, (row, wide) in enumerate(zip(rows, widths, strict=True)):
        left = _MARGIN + (whole - wide) / 2
        for box in row:
            places[box.name] = (left + _width(box) / 2, _MARGIN + number * _FLOOR, _width(box))
            left += _width(box) + _GAP
    return places, whole + 2 * _MARGIN, max(len(rows) - 1, 0) * _FLOOR + _HEIGHT + 2 * _MARGIN


def _box(box: Box, place: Place) -> str:
    middle, top, width = place
    return (
        f'<rect class="box" x="{middle - width / 2:.1f}" y="{top:.1f}" width="{width:.1f}" height="{_HEIGHT}" rx="6"/>'
        f'<text class="name" x="{middle:.1f}" y="{top + _HEIGHT / 2 + 4:.1f}">{escape(box.label)}</text>'
    )


def _arrow(arrow: Arrow, places: dict[str, Place]) -> str:
    (x1, top1, _), (x2, top2, _) = places[arrow.source], places[arrow.target]
    down = top2 >= top1
    y1, y2 = (top1 + _HEIGHT, top2) if top2 > top1 else (top1, top2 + _HEIGHT if top2 < top1 else top2)
    bend = _FLOOR / 2 if down else -_FLOOR / 2
    lift = -_FLOOR / 2 if top1 == top2 else bend
    end_y = y2 + (lift if top1 == top2 else -bend)
    way = f"M{x1:.1f},{y1:.1f} C{x1:.1f},{y1 + lift:.1f} {x2:.1f},{end_y:.1f} {x2:.1f},{y2:.1f}"
    style, end = ("arrow wrong", "wrongend") if arrow.wrong else ("arrow", "end")
    told = f"{arrow.source} → {arrow.target}: {arrow.imports}" + (f" ({arrow.wrong})" if arrow.wrong else "")
    return f'<path class="{style}" d="{way}" marker-end="url(#{end})"><title>{escape(told)}</title></path>'


def _head(name: str, style: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path class="{style}" d="M0,0 L8,4 L0,8 z"/></marker>'
    )
