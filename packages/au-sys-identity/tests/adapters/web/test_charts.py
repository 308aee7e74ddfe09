"""Pictures of custody and of roles."""

from dataclasses import dataclass

from au_sys_identity.adapters.web.governing.charts import custody_chart, role_chart


@dataclass(frozen=True, slots=True)
class Made:
    name: str
    active: bool = True
    below: "tuple[Made, ...]" = ()


def test_machines_stand_right_of_who_answers_for_them() -> None:
    """A person is at the height of the middle of her machines; what is stopped is marked; names are cut."""
    drawn = custody_chart([("Ada", (Made("one", below=(Made("three", active=False),)), Made("t" * 30)))])
    places = {box.label: (box.x, box.y, box.tone) for box in drawn.boxes}
    assert places == {
        "three": (508, 8, "bad"),
        "one": (258, 8, "plain"),
        "t" * 23 + "…": (258, 56, "plain"),
        "Ada": (8, 32, "strong"),
    }
    assert (len(drawn.links), drawn.width, drawn.height) == (3, 706, 100)


def test_a_picture_stays_small() -> None:
    """However many machines there are, as many boxes are drawn as one can look at."""
    assert len(custody_chart([("Ada", [Made(str(number)) for number in range(500)])]).boxes) <= 61


def test_a_role_shows_what_would_change() -> None:
    """What comes and what goes is counted for each capability; without anything of it, it is left out."""
    held, wanted = frozenset({"a.x.read", "a.y.read", "b.x.read"}), frozenset({"a.x.read", "c.x.read"})
    drawn = role_chart("helper", ["Ada"], held, wanted, ["*", "a", "b", "c", "d"])
    shown = [(box.label, box.tone) for box in drawn.boxes]
    assert shown == [("Ada", "plain"), ("helper", "strong"), ("a 1 −1", "bad"), ("b 0 −1", "bad"), ("c 0 +1", "good")]
    assert len(drawn.links) == 4
