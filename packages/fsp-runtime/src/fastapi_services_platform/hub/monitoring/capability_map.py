"""A picture of who needs whom: capabilities in columns by depth, with a line for each port."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi_services_platform.hub.monitoring.overview import CapabilityView

BOX_WIDTH = 150
BOX_HEIGHT = 48
_GAP_X = 190
_GAP_Y = 26
_MARGIN = 8


@dataclass(frozen=True, slots=True)
class Box:
    """A capability; ``x`` and ``y`` are its upper left corner."""

    name: str
    state: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Line:
    """From the right side of a provider to the left side of whoever needs it."""

    path: str
    label: str
    label_x: float
    label_y: float
    optional: bool


@dataclass(frozen=True, slots=True)
class CapabilityMap:
    """Boxes and lines in a picture of ``width`` × ``height``; ``sentences`` say the same in words."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Need:
    provider: str
    user: str
    ports: tuple[str, ...]
    optional: bool


def map_of(capabilities: Sequence[CapabilityView]) -> CapabilityMap:
    """Lay the capabilities out; they come in the order in which they start, so providers come first."""
    needs = _needs(capabilities)
    boxes = _boxes(capabilities, needs)
    places = {box.name: box for box in boxes}
    lines = tuple(_line(places[need.provider], places[need.user], need) for need in needs)
    sentences = tuple(
        f"{need.user} {'uses' if need.optional else 'needs'} {', '.join(need.ports)} of {need.provider}"
        for need in needs
    )
    width = max((box.x + BOX_WIDTH for box in boxes), default=0) + _MARGIN
    height = max((box.y + BOX_HEIGHT for box in boxes), default=0) + _MARGIN
    return CapabilityMap(width, height, boxes, lines, sentences)


def _needs(capabilities: Sequence[CapabilityView]) -> list[_Need]:
    provider_of = {port: item.name for item in capabilities for port in item.provides}
    needs = []
    for item in capabilities:
        for optional, ports in ((False, item.requires), (True, item.optional)):
            by_provider: dict[str, list[str]] = {}
            for port in ports:
                provider = provider_of.get(port)
                if provider is not None and provider != item.name:
                    by_provider.setdefault(provider, []).append(port)
            needs += [_Need(name, item.name, tuple(ports), optional) for name, ports in by_provider.items()]
    return needs


def _boxes(capabilities: Sequence[CapabilityView], needs: Sequence[_Need]) -> tuple[Box, ...]:
    depth: dict[str, int] = {}
    for item in capabilities:
        below = [depth.get(need.provider, 0) + 1 for need in needs if need.user == item.name]
        depth[item.name] = max(below, default=0)
    rows: dict[int, int] = {}
    boxes = []
    for item in capabilities:
        column = depth[item.name]
        row = rows.get(column, 0)
        rows[column] = row + 1
        x, y = _MARGIN + column * (BOX_WIDTH + _GAP_X), _MARGIN + row * (BOX_HEIGHT + _GAP_Y)
        boxes.append(Box(item.name, item.state, x, y))
    return tuple(boxes)


def _line(provider: Box, user: Box, need: _Need) -> Line:
    lane = BOX_HEIGHT * (0.75 if need.optional else 0.25)
    x1, y1 = provider.x + BOX_WIDTH, provider.y + lane
    x2, y2 = user.x, user.y + lane
    bend = max((x2 - x1) / 2, 30)
    path = f"M{x1} {y1:.0f} C{x1 + bend:.0f} {y1:.0f} {x2 - bend:.0f} {y2:.0f} {x2} {y2:.0f}"
    label = need.ports[0] if len(need.ports) == 1 else f"{len(need.ports)} ports"
    return Line(path, label, (x1 + x2) / 2, (y1 + y2) / 2 + (14 if need.optional else -5), need.optional)
