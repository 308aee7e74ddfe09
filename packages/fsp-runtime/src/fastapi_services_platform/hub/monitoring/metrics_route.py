"""/metrics, and what the platform measures about itself beside requests."""

import hmac
import os
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from fastapi_services_platform.engine.platform import Platform
from fastapi_services_platform.fastapi import MaybePrincipal, inject
from fastapi_services_platform.http.edge import Edge
from fastapi_services_platform.http.pages import Pages
from fastapi_services_platform.http.permissions import access
from fastapi_services_platform.http.problems import Problem, ProblemRaised
from fastapi_services_platform.observability.expositions import merged
from fastapi_services_platform.observability.logger_factory import lost_events
from fastapi_services_platform.observability.metrics import CONTENT_TYPE, Measurements, Reading, by_label, one
from fastapi_services_platform.resilience.pools import pool

router = APIRouter()

_PERMISSION = "platform.metrics.read"
_SIGN_IN = Problem(401, "authentication-required", "Sign in first", f"This needs the permission {_PERMISSION}.")
_STATES = {"closed": 0.0, "half_open": 1.0, "open": 2.0}
_DENIED = Problem(403, "permission-denied", "Not allowed", f"This needs {_PERMISSION}.", {"permission": _PERMISSION})


_POOL_FIGURES: tuple[tuple[str, str, Literal["gauge", "counter"], str], ...] = (
    ("size", "size", "gauge", "Connections that the pool keeps."),
    ("checkedout", "in_use", "gauge", "Connections in use."),
    ("overflow", "overflow", "gauge", "Connections beyond the pool's size."),
    ("checkouts", "checkouts", "counter", "How often a connection was asked for."),
    ("wait_seconds", "wait_seconds", "counter", "How long connections were waited for."),
)


@router.get("/metrics", name="platform.metrics", include_in_schema=False)
@access(public=True)
async def metrics(
    request: Request,
    who: MaybePrincipal,
    measurements: Annotated[Measurements, inject(Measurements)],
    pages: Annotated[Pages, inject(Pages)],
) -> Response:
    """Declared public because a scraper is no subject: it shows the scrape token, or else a caller the permission."""
    if not _has_token(request):
        if who is None:
            raise ProblemRaised(_SIGN_IN)
        if not await pages.allowed(who, _PERMISSION):
            raise ProblemRaised(_DENIED)
    text, siblings = await measurements.exposition(), request.app.state.platform.siblings
    if not siblings.alone:
        text = merged({os.getpid(): text, **await siblings.ask("metrics")})
    return Response(text, headers={"cache-control": "no-store"}, media_type=CONTENT_TYPE)


def _has_token(request: Request) -> bool:
    token = request.app.state.platform.settings.metrics_token
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    if token is None or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(shown.encode(), token.get_secret_value().encode())


class PlatformReadings:
    """Readings of pools, logging, capabilities and jobs."""

    def __init__(self, platform: Platform, edge: Edge | None) -> None:
        self._platform = platform
        self._edge = edge

    def __call__(self) -> list[Reading]:
        """Read them all."""
        dropped, failures = lost_events()
        capabilities = self._platform.inventory.capabilities
        states = self._platform.jobs.states
        return [
            one("fsp_log_events_dropped", "Log events that found the queue full.", dropped, "counter"),
            one("fsp_log_write_failures", "Batches of log events that could not be written.", failures, "counter"),
            one("fsp_blocking_waiting", "Pieces of blocking work under way or waiting.", pool.waiting),
            one("fsp_blocking_threads", "Threads for blocking work.", pool.threads),
            by_label(
                "fsp_capability_up",
                "Whether a capability runs.",
                "capability",
                {item.name: float(item.state == "running") for item in capabilities},
            ),
            by_label("fsp_job_runs", "Runs of a job.", "job", {s.name: s.runs for s in states}, "counter"),
            by_label("fsp_job_failures", "Failed runs.", "job", {s.name: s.failures for s in states}, "counter"),
            by_label("fsp_job_seconds", "How long a job's last run took.", "job", {s.name: s.seconds for s in states}),
            *self._pools(),
            *self._lanes(),
            *self._upstreams(),
            *self._events(),
        ]

    def _lanes(self) -> list[Reading]:
        if self._edge is None:
            return []
        lanes = {"capabilities": self._edge.lane, "platform": self._edge.own_lane}
        under_way = {name: float(lane.under_way) for name, lane in lanes.items()}
        shed = {name: float(lane.shed) for name, lane in lanes.items()}
        shed["capabilities"] += self._edge.turn.shed + sum(lane.shed for lane in self._edge.lanes.values())
        return [
            by_label("fsp_http_requests_under_way", "Requests being answered.", "lane", under_way),
            by_label("fsp_http_requests_shed", "Requests turned away under load.", "lane", shed, "counter"),
        ]

    def _events(self) -> list[Reading]:
        deliverers = self._platform.events.deliverers.values()
        backlogs = {backlog.handler: backlog for deliverer in deliverers for backlog in deliverer.backlogs}
        lag = {name: item.lag for name, item in backlogs.items()}
        waiting = {name: float(item.waiting) for name, item in backlogs.items()}
        dead = {name: float(item.dead) for name, item in backlogs.items()}
        return [
            by_label("fsp_events_lag_seconds", "Age of the oldest event that a handler has not seen.", "handler", lag),
            by_label("fsp_events_waiting", "Events that a handler has not seen.", "handler", waiting),
            by_label("fsp_events_dead", "Events that a handler could not handle.", "handler", dead),
        ]

    def _upstreams(self) -> list[Reading]:
        clients = {client.name: client for client in self._platform.clients.all()}
        breakers = self._platform.clients.breakers()
        calls = [((name, end), float(count)) for name, c in clients.items() for end, count in c.calls.items()]
        of = "upstream"
        return [
            Reading("fsp_upstream_calls", "Calls by how they ended.", "counter", (of, "outcome"), calls),
            by_label(
                "fsp_upstream_seconds", "Time in calls.", of, {n: c.seconds for n, c in clients.items()}, "counter"
            ),
            by_label(
                "fsp_upstream_retries",
                "Attempts after the first.",
                of,
                {n: c.retry.retries for n, c in clients.items()},
                "counter",
            ),
            by_label(
                "fsp_bulkhead_under_way",
                "Calls under way or waiting.",
                of,
                {n: c.bulkhead.inside for n, c in clients.items()},
            ),
            by_label(
                "fsp_bulkhead_refused",
                "Calls that found no place.",
                of,
                {n: c.bulkhead.rejected for n, c in clients.items()},
                "counter",
            ),
            by_label(
                "fsp_breaker_state",
                "0 closed, 1 half open, 2 open.",
                "breaker",
                {name: _STATES[breaker.state] for name, breaker in breakers.items()},
            ),
            by_label(
                "fsp_breaker_opened",
                "How often a breaker opened.",
                "breaker",
                {name: breaker.opened for name, breaker in breakers.items()},
                "counter",
            ),
        ]

    def _pools(self) -> list[Reading]:
        pools = {item.name: item.pool_figures() for item in self._platform.databases if item.opened}
        readings = []
        for metric, figure, kind, help_text in _POOL_FIGURES:
            values = {name: figures[figure] for name, figures in pools.items()}
            readings.append(by_label(f"fsp_database_pool_{metric}", help_text, "database", values, kind))
        return readings
