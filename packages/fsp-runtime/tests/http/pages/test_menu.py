"""The menu of the frame."""

from fastapi_services_platform import MenuEntry
from fastapi_services_platform.capability.languages import Reader
from fastapi_services_platform.http.pages.menu import menu_of

OWNED = [
    ("demo", MenuEntry("Tools", "/tools")),
    ("demo", MenuEntry("All tools", "/admin/tools", section="Library")),
    ("other", MenuEntry("One tool", "/admin/tools/one", section="Library")),
    *(("demo", MenuEntry(f"Page {number}", f"/p/{number}", section="Pages")) for number in range(12)),
]


def test_entries_stand_in_sections() -> None:
    """Loose entries come first; of a long menu only the section of the reader is unfolded; the deepest entry counts."""
    menu = menu_of(OWNED, Reader(), "/admin/tools/one/more")
    shown = [(section.label, len(section.entries), section.unfolded) for section in menu.sections]
    assert shown == [("", 1, False), ("Library", 2, True), ("Pages", 12, False)]
    assert menu.current is not None
    assert menu.current.href == "/admin/tools/one"
    assert menu_of(OWNED[:3], Reader(), "/").sections[1].unfolded


def test_the_way_to_a_page() -> None:
    """Home, the section without an address, then the page's own crumbs, else the entry that it lies under."""
    deep, entry, home = (menu_of(OWNED, Reader(), here) for here in ("/admin/tools/7", "/admin/tools", "/"))
    assert deep.way([]) == [("Hub", "/"), ("Library", ""), ("All tools", "/admin/tools")]
    assert deep.way([("Own", "/own")]) == [("Hub", "/"), ("Library", ""), ("Own", "/own")]
    assert entry.way([]) == [("Hub", "/"), ("Library", "")]
    assert (home.way([]), menu_of([], Reader(), "/login").way([])) == ([], [])
