"""The table of what is loaded, and where to click."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from au_sys_python_factory.shell.assembly.installed_commands import FirstAdmin
from au_sys_python_factory.shell.supervision.readiness import Json
from au_sys_python_factory.wheels.columns import table

HEADS = ("capability", "version", "wheel", "routes", "permissions", "database at", "health")


@dataclass(frozen=True, slots=True)
class Overview:
    """What is known of a shell once it is ready."""

    url: str
    seconds: float
    capabilities: tuple[Mapping[str, Json], ...]
    processes: tuple[tuple[str, int], ...]
    places: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()
    admin: FirstAdmin | None = None

    def as_data(self) -> dict[str, Json]:
        """For ``--json``; the credential goes to standard output only."""
        admin = {"email": self.admin.email, "password": self.admin.password} if self.admin else None
        return {
            "url": self.url,
            "admin": admin,
            "seconds": round(self.seconds, 2),
            "capabilities": list(self.capabilities),
            "processes": {name: pid for name, pid in self.processes},
            "places": dict(self.places),
            "notes": list(self.notes),
        }

    def as_text(self) -> str:
        """For people."""
        rows = [
            (
                str(item["name"]),
                str(item["version"]),
                str(item["wheel"])[:8],
                str(item["routes"]),
                str(item["permissions"]),
                str(item["migration_head"] or "-"),
                _health(item),
            )
            for item in self.capabilities
        ]
        running = ", ".join(f"{name} (process {pid})" for name, pid in self.processes)
        parts = [table(HEADS, rows), f"running: {running}", *self.notes, table(("where", "address"), self.places)]
        if self.admin is not None:
            parts.append(
                "first administrator, shown this once: sign in and choose a password of your own\n"
                f"  e-mail    {self.admin.email}\n  password  {self.admin.password}"
            )
        return "\n\n".join(parts)


def describe_capabilities(
    inventory: Mapping[str, Json], hashes: Mapping[str, str], health: Mapping[str, Json] | None
) -> tuple[Mapping[str, Json], ...]:
    """One mapping for each capability, out of what ``fsp list``, the manifest and ``/health`` say."""
    found = []
    for item in inventory["capabilities"]:
        status, reasons = _status(item["name"], health)
        found.append(
            {
                "name": item["name"],
                "version": item["version"],
                "distribution": item["distribution"],
                "wheel": hashes.get(item["distribution"].partition(" ")[0], ""),
                "routes": item["routes"],
                "permissions": len(item["permissions"]),
                "migration_head": (item["database"] or {}).get("head"),
                "health": status if item.get("state") != "off" else "off",
                "reasons": reasons,
            }
        )
    return tuple(found)


def places(url: str, inventory: Mapping[str, Json]) -> tuple[tuple[str, str], ...]:
    """Where to click: the hub, the sign-in page, and every menu entry that the capabilities contribute."""
    found = [("hub", f"{url}/")]
    entry = next((item["entry_page"] for item in inventory["capabilities"] if item.get("entry_page")), None)
    if entry:
        found.append(("sign in", f"{url}{entry}"))
    for item in inventory["capabilities"]:
        found += [(item["name"], f"{url}{href}") for href in item.get("menu", []) if href != "/"]
    found += [("health", f"{url}/health"), ("discovery", f"{url}/discovery")]
    return tuple(dict.fromkeys(found))


def _health(item: Mapping[str, Json]) -> str:
    reasons = "; ".join(item["reasons"])
    return f"{item['health']}: {reasons}" if reasons else str(item["health"])


def _status(name: str, health: Mapping[str, Json] | None) -> tuple[str, list[str]]:
    """The worst of what ``/health`` says about a capability, its checks and its database."""
    if health is None:
        return "unknown", []
    own = [health.get("capabilities", {}).get(name), health.get("databases", {}).get(name)]
    own += [answer for check, answer in health.get("checks", {}).items() if check.startswith(f"{name}.")]
    answers = [answer for answer in own if answer]
    order = {"healthy": 0, "degraded": 1, "unhealthy": 2}
    worst = max((answer["status"] for answer in answers), key=lambda status: order.get(status, 2), default="unknown")
    return worst, [answer["detail"] for answer in answers if answer["status"] != "healthy" and answer.get("detail")]
