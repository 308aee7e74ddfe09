"""From the first start to a machine that is refused: one story, told by pages, with a passkey, an app, two devices."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.journeys.house import ADMIN, ADMIN_PASSWORD, OWN_PASSWORD, House, running_house
from tests.journeys.visiting import Visit

from au_sys_identity.core.factors.totp import code_at, step_of

pytestmark = pytest.mark.needs_chromium

GRACE = "grace@example.org"


@dataclass
class Story:
    """Who is in it: each with a browser that stays open from chapter to chapter."""

    house: House
    admin: Visit
    grace: Visit
    secret: str = ""
    key: str = ""


@pytest.fixture(scope="module")
def story(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A platform on its first day."""
    with running_house(tmp_path_factory.mktemp("story") / "platform") as house:
        told = Story(house, Visit(browser, house), Visit(browser, house))
        told.admin.sign_in(ADMIN, ADMIN_PASSWORD)
        told.grace.authenticator()
        yield told
        told.admin.close()
        told.grace.close()


@pytest.fixture(autouse=True)
def nothing_to_complain_about(story: Story) -> Iterator[None]:
    """No chapter leaves a word on a console, or asks another host."""
    yield
    assert (story.admin.heard(), story.grace.heard()) == ([], [])


def said(page: Page, text: str) -> None:
    """The page says so."""
    expect(page.get_by_role("main")).to_contain_text(text)


def test_1_a_person_is_invited(story: Story) -> None:
    """The administrator names an address; the letter's link leads to a password, and the account signs in."""
    page = story.admin.page
    page.goto("/")
    story.admin.menu("People")
    page.locator("#invite-email").fill(GRACE)
    page.get_by_role("button", name="Invite", exact=True).click()
    said(page, "The invitation is on its way.")
    guest = story.grace.page
    guest.goto(story.house.link_to(GRACE))
    guest.get_by_role("button", name="Go on").click()
    guest.get_by_label("Name that others see").fill("Grace Hopper")
    guest.get_by_label("Password").fill(OWN_PASSWORD)
    guest.get_by_role("button", name="Make my account").click()
    said(guest, "Your account is ready.")
    story.grace.sign_in(GRACE, OWN_PASSWORD)
    expect(guest.get_by_role("banner")).to_contain_text("Grace Hopper")


def test_2_she_protects_her_account(story: Story) -> None:
    """A passkey and an authenticator app, and codes for the day on which both are lost."""
    page = story.grace.page
    page.goto("/account/security")
    page.get_by_label("Name of the new passkey").fill("Phone")
    page.get_by_role("button", name="Add a passkey").click()
    page.wait_for_url("**/account/security?saved=passkey")
    page.goto("/account/security")
    page.get_by_role("button", name="Set up an app").click()
    if page.get_by_role("heading", name="Confirm that it is you").is_visible():
        page.get_by_role("button", name="Use a passkey").click()
        page.get_by_role("button", name="Set up an app").click()
    story.secret = page.locator("code").first.inner_text().strip()
    page.get_by_role("textbox", name="Code").fill(code(story.secret, earlier=1))
    page.get_by_role("button", name="Switch on").click()
    said(page, "Your recovery codes")


def code(secret: str, earlier: int = 0) -> str:
    """What the app shows, now or some steps ago: no step is taken twice."""
    known = base64.b32decode(secret + "=" * (-len(secret) % 8))
    return code_at(known, step_of(datetime.now(UTC)) - earlier)


def test_3_she_signs_in_on_a_second_device(browser: Browser, story: Story) -> None:
    """There the password is not enough: a code of the app; both devices are listed, and one ends the other."""
    second = Visit(browser, story.house, width=360)
    second.sign_in(GRACE, OWN_PASSWORD)
    expect(second.page.get_by_role("heading", level=1)).to_have_text("Second step")
    second.page.get_by_label("With").select_option(label="Authenticator app")
    second.page.get_by_role("textbox", name="Code").fill(code(story.secret))
    second.page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
    expect(second.page.get_by_role("heading", name="My account")).to_be_visible()
    page = story.grace.page
    page.goto("/account/security")
    page.get_by_role("button", name="Sign out there").click()
    said(page, "Done.")
    second.go("/account")
    expect(second.page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert second.heard() == []
    second.close()


def test_4_she_asks_for_access_and_gets_it(story: Story) -> None:
    """A role that people may ask for; somebody else decides, and it counts at once."""
    house, page = story.house, story.grace.page
    body = {"name": "front-desk", "description": "Looks people up", "permissions": ["identity.users.read"]}
    house.call(ADMIN, "POST", "/rbac/roles", body)
    house.call(ADMIN, "PATCH", "/rbac/roles/front-desk", {"requestable": True}, headers={"if-match": "*"})
    assert story.grace.go("/admin/identity/users") == 403
    page.goto("/account/requests")
    page.get_by_label("Role").select_option("front-desk")
    page.get_by_label("Reason").fill("I answer the telephone this week")
    page.get_by_role("button", name="Ask", exact=True).click()
    said(page, "Asked.")
    desk = story.admin.page
    desk.goto("/admin/identity/requests")
    said(desk, "I answer the telephone this week")
    desk.get_by_role("button", name="Give front-desk to Grace Hopper").click()
    said(desk, "Given.")
    page.goto("/")
    story.grace.menu("People")
    said(page, ADMIN)


def test_5_her_agent_works_with_a_key(story: Story) -> None:
    """She answers for an agent; its key lets it do what she may do."""
    house = story.house
    person = house.call(ADMIN, "GET", f"/users?q={GRACE}")["items"][0]
    provider = house.call(ADMIN, "POST", "/iam/ai-providers", {"name": "Acme AI", "vendor": "Acme"})
    body = {"name": "Sorter", "purpose": "Sorts mail", "provider": provider["urn"], "custodian": person["urn"]}
    agent = house.call(ADMIN, "POST", "/iam/ai-agents", {**body, "model_spec": {"names": ["acme-1"]}})
    house.call(ADMIN, "POST", f"/rbac/users/{agent['urn']}/roles", {"role": "front-desk"})
    keys = f"/iam/ai-agents/{agent['id']}/keys"
    story.key = house.call(ADMIN, "POST", keys, {"name": "Day", "scopes": ["identity.*"]})["secret"]
    answer = house.client.get("/users", headers={"x-api-key": story.key, "x-agent-model": "acme-1"})
    assert answer.status_code == 200, answer.text
    page = story.grace.page
    page.goto("/account/machines")
    said(page, "Sorter")


def test_6_what_happened_is_proved(story: Story) -> None:
    """The administrator finds the grant in the audit log, sees its proof, and has the whole log checked."""
    page = story.admin.page
    page.goto("/admin/identity/audit")
    page.get_by_label("Did what").fill("request.")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("row").nth(1).get_by_role("link").click()
    expect(page.get_by_role("heading", name="Proof")).to_be_visible()
    said(page, "au-sys-identity audit head v1")
    page.goto("/admin/identity/audit")
    page.get_by_role("button", name="Verify now").click()
    said(page, "The log is sound")


def test_7_she_is_disabled_and_so_is_her_agent(story: Story) -> None:
    """One button: her pages lead to the sign-in page, and the agent that answers to her is refused."""
    page = story.admin.page
    page.goto(f"/admin/identity/users?q={GRACE}")
    page.get_by_role("link", name="Grace Hopper").click()
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_role("button", name="Switch on")).to_be_visible()
    headers = {"x-api-key": story.key, "x-agent-model": "acme-1"}
    story.house.until(
        lambda: story.house.client.get("/users", headers=headers).status_code in (401, 403), "the refusal"
    )
    story.grace.go("/account")
    expect(story.grace.page).to_have_url(re.compile("/login"))


def test_8_a_backup_is_made_checked_and_restored(story: Story) -> None:
    """What came after it is gone; everybody signs in anew."""
    page = story.admin.page
    page.goto("/admin/identity/backups")
    page.get_by_label("Name of the next backup").fill("before the fair")
    page.get_by_role("button", name="Back up now").click()
    said(page, "The backup is made.")
    page.get_by_role("button", name="Verify").first.click()
    said(page, "The backup is sound.")
    page.goto("/account/profile")
    page.get_by_label("Name").first.fill("Somebody Else")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("banner")).to_contain_text("Somebody Else")
    page.goto("/admin/identity/backups")
    page.get_by_role("row", name="before the fair").get_by_role("button", name="Restore …").click()
    wanted = page.locator("label", has_text="Repeat the id").inner_text().split(": ")[1].split()[0]
    page.get_by_label("Repeat the id of the backup").fill(wanted)
    page.get_by_role("button", name="Restore, and sign everybody out").click()
    page.wait_for_url("**/login?**")
    story.admin.sign_in(ADMIN, ADMIN_PASSWORD)
    expect(page.get_by_role("banner")).not_to_contain_text("Somebody Else")


def test_9_documents_move_to_another_backend(story: Story) -> None:
    """While a program goes on reading and writing, the page shows how far it is, and that it is done."""
    house, page = story.house, story.admin.page
    house.tokens.clear()
    for number in range(30):
        house.call(ADMIN, "PUT", f"/storage/notes/n{number}", {"number": number})
    page.once("dialog", lambda dialog: dialog.accept())
    page.goto("/admin/storage/:switch")
    page.get_by_label("To", exact=True).select_option("second")
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.locator("#switch-progress")).to_contain_text("done")
    expect(page.locator("#switch-progress")).to_contain_text("Documents copied")
    house.call(ADMIN, "PUT", "/storage/notes/after", {"number": 31})
    page.goto("/admin/storage/notes")
    said(page, "after")


def test_10_a_flag_takes_a_page_away(story: Story) -> None:
    """One button, and the page is gone within a second; one more, and it is there again."""
    client, page = story.house.client, story.admin.page

    def gone() -> bool:
        return client.get("/platform/components").status_code == 404

    page.goto("/platform/flags")
    assert not gone()
    page.get_by_role("button", name="Switch off platform.components").click()
    expect(page.get_by_role("button", name="Switch on platform.components")).to_be_visible()
    assert gone()
    page.get_by_role("button", name="Switch on platform.components").click()
    story.house.until(lambda: not gone(), "the page")
    said(page, "platform.components")


def test_11_an_auditor_reads_and_changes_nothing(browser: Browser, story: Story) -> None:
    """People, roles, machines and the log with its proofs are there to be read; no button changes anything."""
    story.house.person("audrey", "auditor")
    visit = Visit(browser, story.house)
    visit.sign_in("audrey@example.org", OWN_PASSWORD)
    page = visit.page
    page.goto(f"/admin/identity/users?q={ADMIN}")
    expect(page.get_by_role("button", name="Invite")).to_have_count(0)
    page.get_by_role("main").get_by_role("row").nth(1).get_by_role("link").click()
    expect(page.get_by_role("button", name="Switch off")).to_have_count(0)
    expect(page.get_by_role("button", name="Give", exact=True)).to_have_count(0)
    page.goto("/admin/identity/audit")
    page.get_by_role("button", name="Verify now").click()
    said(page, "The log is sound")
    expect(page.get_by_role("link", name="Take it away")).to_have_count(0)
    assert visit.go("/admin/identity/backups") == 403
    assert visit.heard() == []
    visit.close()


def test_12_an_operator_keeps_it_running(browser: Browser, story: Story) -> None:
    """Health, a job run by hand, a log level changed, storage seen; accounts of people are none of her business."""
    story.house.person("olga", "platform:operator", "storage:operator")
    visit = Visit(browser, story.house, width=360)
    visit.sign_in("olga@example.org", OWN_PASSWORD)
    page = visit.page
    visit.go("/platform/health")
    said(page, "identity")
    visit.go("/platform/jobs")
    page.get_by_role("button", name=re.compile("^Run")).first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    visit.go("/platform/log-levels")
    page.locator("#field-logger").fill("journeys.olga")
    page.locator("#field-level").select_option("error")
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_role("row", name="journeys.olga")).to_contain_text("error")
    visit.go("/admin/storage")
    said(page, "notes")
    assert visit.go("/admin/identity/users") == 403
    assert visit.heard() == []
    visit.close()
