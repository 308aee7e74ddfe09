"""Every page of the route list, as every role, full of hostile text: nothing of it runs, and anybody can read it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser
from tests.journeys.house import ADMIN_PASSWORD, OWN_PASSWORD, House, running_house
from tests.journeys.inventory import pages_of
from tests.journeys.population import ROLES, Population, email_of, populate
from tests.journeys.visiting import PATIENCE, Visit

pytestmark = [pytest.mark.needs_bwrap, pytest.mark.needs_chromium, pytest.mark.needs_uv]

PLANTED = """"'></title></textarea></script><img src=x onerror=planted()>"""
"""Ends whatever a text may stand in, and is short enough for every field."""
ALARM = """
window.planted = () => console.error('planted text ran');
window.alert = window.confirm = window.prompt = window.planted;
document.addEventListener('securitypolicyviolation', event => console.error('policy: ' + event.violatedDirective));
"""
GROWN = """() => [...document.querySelectorAll(
    'img[src="x"], [onerror], [onload], [onfocus], [onclick], script:not([src]):not([nonce]), a[href^="javascript:" i]'
)].map(node => node.outerHTML.slice(0, 200))"""
SHAPE = re.compile(r'<(\w+)|\s((?:class|role|type)="[^"]*")')


@dataclass
class Seen:
    """What was found on the pages that one role may open."""

    opened: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    grown: list[str] = field(default_factory=list)
    menu: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A platform and its worker."""
    with running_house(tmp_path_factory.mktemp("house") / "platform", worker=True) as running:
        yield running


@pytest.fixture(scope="module")
def population(house: House) -> Population:
    """Every text that somebody may write is hostile."""
    return populate(house, lambda words: words + PLANTED)


@pytest.fixture(scope="module")
def pages(house: House, population: Population) -> dict[str, str]:
    """All pages."""
    return pages_of(house, population, PLANTED)


def shape_of(page: str) -> str:
    """What axe-core could judge of a page's content: its elements with what they are, without what they say."""
    main = page.partition("<main")[2].partition("</main>")[0]
    return " ".join(tag or kind for tag, kind in SHAPE.findall(main))


def looked_at(browser: Browser, house: House, role: str, pages: dict[str, str], known: set[str]) -> Seen:
    """Open every page that the role may open and that looks like none of those known already."""
    visit, seen = Visit(browser, house, axe=True), Seen()
    visit.context.add_init_script(ALARM)
    if role:
        visit.sign_in(email_of(role), ADMIN_PASSWORD if role == "admin" else OWN_PASSWORD)
    for name, path in pages.items():
        answer = visit.context.request.get(path, headers={"accept": "text/html"}, max_redirects=0, timeout=PATIENCE)
        seen.opened[name] = answer.status
        shape = f"{'/'.join(path.split('/')[:4])} {shape_of(answer.text())}"
        if answer.status not in (200, 400, 404) or shape in known:
            continue
        known.add(shape)
        visit.go(path)
        seen.wrong += [f"{path}: {told}" for told in visit.inspected()]
        seen.grown += [f"{path}: {told}" for told in visit.page.evaluate(GROWN)]
    visit.go("/")
    links = visit.page.locator("#site-menu a, .card a, .person-card a").evaluate_all("all => all.map(one => one.href)")
    seen.menu = [f"{link}: {visit.context.request.get(link, timeout=PATIENCE).status}" for link in sorted(set(links))]
    visit.close()
    return seen


@pytest.fixture(scope="module")
def seen(browser: Browser, house: House, pages: dict[str, str]) -> dict[str, Seen]:
    """What each role meets; nobody is the one who is not signed in. A page that has one shape for two is seen once."""
    known: set[str] = set()
    return {role: looked_at(browser, house, role, pages, known) for role in ("", "admin", *ROLES)}


@pytest.mark.parametrize("role", ["", *ROLES, "admin"])
def test_every_page_is_for_everybody(seen: dict[str, Seen], role: str) -> None:
    """In light and dark axe-core finds nothing, the console is quiet, nothing leaves the host or is too wide."""
    assert seen[role].wrong == []


@pytest.mark.parametrize("role", ["", *ROLES, "admin"])
def test_nothing_that_somebody_wrote_becomes_a_part_of_a_page(seen: dict[str, Seen], role: str) -> None:
    """No element, no handler and no script grew out of a text; what ran would be on the console."""
    assert seen[role].grown == []


def test_the_administrator_sees_every_page(seen: dict[str, Seen]) -> None:
    """None of the list is missing, and none fails; who is signed in is led past the sign-in pages."""
    expected = {"nowhere": 404, "own problem": 404, "reason not known": 400}
    expected |= dict.fromkeys(("/login", "/login/directory/{name}", "sign-in leading on"), 303)
    assert {name: status for name, status in seen["admin"].opened.items() if status != expected.get(name, 200)} == {}


@pytest.mark.parametrize("role", [*ROLES, "admin"])
def test_nobody_is_offered_a_page_that_refuses_her(seen: dict[str, Seen], role: str) -> None:
    """Every link of the menu and of the hub opens."""
    assert [link for link in seen[role].menu if not link.endswith(": 200")] == []


def test_each_role_sees_its_own(seen: dict[str, Seen]) -> None:
    """Nobody sees the administration who was not given it; who was, does."""
    opened = {role: {name for name, status in found.opened.items() if status == 200} for role, found in seen.items()}
    assert "/account" not in opened[""]
    assert "/admin/identity/users" not in opened["person"]
    assert "/my-tools" in opened["contributor"] - opened["person"]
    assert "/reviews" in opened["reviewer"] - opened["contributor"]
    assert "/admin/identity/audit" in opened["auditor"] - opened["reviewer"]
    assert "/platform/flags" in opened["operator"] - opened["auditor"]
    assert set.union(*opened.values()) - opened["admin"] == opened[""] - opened["admin"]
