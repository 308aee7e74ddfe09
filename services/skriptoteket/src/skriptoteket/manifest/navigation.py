"""Where the library stands in the platform's menu and on its first page."""

from fastapi_services_platform import Card, MenuEntry
from skriptoteket.core import roles

MENU = (
    MenuEntry("Tools", "/browse", roles.BROWSE, order=10, icon="tools"),
    MenuEntry("My runs", "/my-runs", roles.RUN, order=11, icon="runs"),
    MenuEntry("Schedules", "/schedules", roles.SCHEDULE, order=11, icon="clock"),
    MenuEntry("My tools", "/my-tools", roles.AUTHOR, order=12, icon="code"),
    MenuEntry("Reviews", "/reviews", roles.REVIEW, order=13, icon="check"),
    MenuEntry("Suggestions", "/admin/suggestions", roles.TRIAGE, order=14, icon="mail"),
    MenuEntry("Administrators", "/admin/nominations", roles.NOMINATE, order=16, icon="people"),
    MenuEntry("All tools", "/admin/tools", roles.CURATE, order=15, icon="list"),
    MenuEntry("Everybody's runs", "/admin/runs", roles.VIEW_ANY_RUN, order=17, icon="runs"),
    MenuEntry("Operations", "/admin/operations", roles.OPERATE, order=18, icon="settings"),
)

CARDS = (Card("Tools", "Choose a tool, upload a file, get the result.", "/browse", roles.BROWSE, order=10),)
