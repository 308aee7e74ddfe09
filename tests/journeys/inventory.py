"""Every page of the platform, from its own list of routes, at an address where something is to be seen."""

from __future__ import annotations

from urllib.parse import quote

from tests.journeys.house import ADMIN, House
from tests.journeys.population import Population

MACHINES = {"api", "outside", "documents", "blobs", "events-api", "mcp", "metrics", "live", "platform", "scim", "oidc"}
NO_PAGES = {
    "/admin/identity/policies/exchange/policies.csv": "a file",
    "/admin/identity/audit/export": "a file",
    "/my-runs/{run_id}/artifacts.zip": "a file",
    "/my-runs/{run_id}/artifacts/{artifact_id}": "a file",
    "/my-runs/{run_id}/tables/{index}": "a file",
    "/my-runs/{run_id}/live": "a part of the page of a run",
    "/admin/storage/:switch/progress": "a part of the page of a switch",
    "/admin/storage/{namespace}:preview/{key:path}": "a picture",
    "/static/{path:path}": "a file",
    "/favicon.ico": "a picture",
    "/search/palette": "a part of every page",
}


def pages_of(house: House, made: Population, searched: str) -> dict[str, str]:
    """The address of each page by its route, and some pages with something searched for.

    Raises:
        KeyError: a route has a value in its path that nobody gave here: add it below, or to ``NO_PAGES``.
    """
    known = {
        "/admin/identity/organizations/{slug}": "/admin/identity/organizations/acme",
        "/admin/identity/directories/{name}": "/admin/identity/directories/staff",
        "/admin/identity/directories/{name}/edit": "/admin/identity/directories/staff/edit",
        "/admin/identity/login-providers/{name}/edit": "/admin/identity/login-providers/corp/edit",
        "/admin/identity/roles/{name}": "/admin/identity/roles/reader",
        "/login/directory/{name}": "/login/directory/staff",
        "/admin/storage/{namespace}:blobs": "/admin/storage/files:blobs",
        "/admin/storage/{namespace}:blobs/{key:path}": "/admin/storage/files:blobs/list.csv",
        "/platform/capabilities/{name}": "/platform/capabilities/skriptoteket",
        "/problems/{capability}/{slug}": "/problems/identity/invalid-input",
    }
    listed = house.call(ADMIN, "GET", "/platform/api/v1/routes")
    routes = [route for route in listed if "GET" in route["methods"] and route["router"] not in MACHINES]
    templates = sorted({route["path"] for route in routes} - set(NO_PAGES))
    found = {template: known.get(template) or _filled(template, made.paths) for template in templates}
    wanted = quote(searched)
    why = f"/admin/identity/policies/why?subject={quote(made.urns['person'])}&permission=identity.users.read"
    return found | {
        "nowhere": f"/nowhere/{wanted}",
        "people found": f"/admin/identity/users?q={wanted}",
        "found": f"/search?q={wanted}",
        "audit found": f"/admin/identity/audit?actor={wanted}&action={wanted}&target={wanted}",
        "tools found": f"/browse?q={wanted}",
        "samples found": f"/platform/components?q={wanted}",
        "audit checked": "/platform/audit?check=true",
        "own problem": f"/problems/{wanted}/{wanted}",
        "reason": why,
        "reason not known": f"/admin/identity/policies/why?subject={wanted}&permission={wanted}",
        "sign-in leading on": f"/login?next={quote('/browse?q=' + searched)}",
        "blob that is a page": "/admin/storage/files:blobs/page.html",
        "blob that is a drawing": "/admin/storage/files:blobs/picture.svg",
    }


def _filled(template: str, values: dict[str, str]) -> str:
    path = template
    for name in [part.partition("}")[0] for part in template.split("{")[1:]]:
        path = path.replace(f"{{{name}}}", values[name])
    return path
