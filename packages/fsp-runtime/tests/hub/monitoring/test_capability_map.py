"""The picture of who needs whom."""

from fastapi_services_platform.hub.monitoring.capability_map import map_of
from fastapi_services_platform.hub.monitoring.overview import CapabilityView


def view(
    name: str,
    provides: tuple[str, ...] = (),
    requires: tuple[str, ...] = (),
    optional: tuple[str, ...] = (),
) -> CapabilityView:
    return CapabilityView(
        name,
        "1.0",
        "",
        "running",
        True,
        "",
        "",
        provides,
        requires,
        optional,
        False,
        routes=0,
        permissions=0,
        timings_ms={},
    )


def test_whoever_needs_stands_to_the_right() -> None:
    """A capability stands one column behind the last of those that it needs."""
    drawn = map_of(
        [
            view("identity", ("authenticator@1",)),
            view("storage", ("blobs@1",), optional=("authenticator@1",)),
            view("scripts", requires=("blobs@1",)),
            view("hub"),
        ]
    )
    columns = {box.name: box.x for box in drawn.boxes}
    assert columns["identity"] == columns["hub"] < columns["storage"] < columns["scripts"]
    assert drawn.sentences == ("storage uses authenticator@1 of identity", "scripts needs blobs@1 of storage")


def test_boxes_do_not_overlap() -> None:
    """Every capability has its own place, inside of the picture."""
    drawn = map_of([view(f"c{number}") for number in range(6)])
    assert len({(box.x, box.y) for box in drawn.boxes}) == 6
    assert max(box.y for box in drawn.boxes) < drawn.height


def test_several_ports_of_one_are_one_line() -> None:
    """Two capabilities are joined by one line, however many ports there are."""
    drawn = map_of([view("identity", ("a@1", "b@1")), view("scripts", requires=("a@1", "b@1"))])
    assert [line.label for line in drawn.lines] == ["2 ports"]


def test_a_port_that_nobody_offers_draws_nothing() -> None:
    """What an optional port would lead to is not there, so there is no line."""
    assert map_of([view("scripts", optional=("gone@1",))]).lines == ()


def test_nothing_loaded_is_an_empty_picture() -> None:
    """Without capabilities there is nothing to draw."""
    assert map_of([]).boxes == ()
