"""The suite that every capability must pass: derive from it in a test module and say how the capability is made."""

import asyncio
import inspect
import io
import os
import re
from collections.abc import Sequence
from pathlib import Path

from fastapi_services_platform.capability.contribution import Contribution
from fastapi_services_platform.capability.manifest import Capability
from fastapi_services_platform.capability.ordering import providers_of
from fastapi_services_platform.config.settings import PlatformSettings
from fastapi_services_platform.engine.app_factory import PlatformApp, create_app
from fastapi_services_platform.engine.plugin_loader import find_capabilities
from fastapi_services_platform.errors import CapabilityError
from fastapi_services_platform.http.routing import RouteEntry
from fastapi_services_platform.observability.logger_factory import configure_logging, flush_logging
from fastapi_services_platform.persistence import migrations as runs
from fastapi_services_platform.testing.error_trees import leaves_of, package_of
from fastapi_services_platform.testing.loop_guard import blocking_calls
from fastapi_services_platform.testing.started_app import settings_for, started_app
from fastapi_services_platform.testing.trials import FailsToStart, tasks_left, those_that_end

_CLOSED = (303, 401, 403, 503)
_SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class CapabilityConformance:
    """Derive ``TestConformance(CapabilityConformance)`` and implement :meth:`capability`."""

    def capability(self) -> Capability:
        """A fresh object of the capability under test."""
        raise TypeError("implement capability(): return a new object of your capability")

    def companions(self) -> Sequence[Capability]:
        """Capabilities that provide what this one requires."""
        return ()

    def settings(self, folder: Path) -> PlatformSettings:
        """Settings of the platform for the tests."""
        return settings_for(folder)

    def secrets(self) -> Sequence[str]:
        """Values that must never be logged, such as a password that :meth:`capability` is configured with."""
        return ()

    def unmapped(self) -> Sequence[type[Exception]]:
        """Errors of the capability that no request can meet: those of its command line or of its workers."""
        return ()

    def _app(self, folder: Path) -> tuple[PlatformApp, Capability]:
        tested = self.capability()
        return self._made(self.settings(folder), tested), tested

    def _made(self, settings: PlatformSettings, tested: Capability) -> PlatformApp:
        app = create_app(settings, capabilities=[tested, *self.companions()])
        if not isinstance(app, PlatformApp):
            raise TypeError("create_app returned another application")
        return app

    def _failing(self, settings: PlatformSettings) -> tuple[PlatformApp, FailsToStart]:
        tested = FailsToStart(self.capability())
        return self._made(settings, tested), tested

    async def _assembled(self, folder: Path) -> tuple[PlatformApp, Capability]:
        """Everything up to the start, for what needs no more."""
        app, tested = self._app(folder)
        await app.assembly.assemble(find_capabilities(app.state.capabilities))
        return app, tested

    def _own_routes(self, app: PlatformApp, tested: Capability) -> list[RouteEntry]:
        return [entry for entry in app.platform.inventory.routes if entry.owner.name == tested.manifest.name]

    def test_manifest_is_complete(self) -> None:
        """Name, version and a sentence; ports are named with their version; settings have a prefix of their own."""
        manifest = self.capability().manifest
        ports = (*manifest.provides, *manifest.requires, *manifest.optional)
        assert manifest.summary.strip() != ""
        assert re.fullmatch(r"\d+(\.\d+)+.*", manifest.version), manifest.version
        assert [port for port in ports if re.fullmatch(r"[a-z][a-z0-9-]*@\d+", port) is None] == []
        if manifest.settings is not None:
            assert str(manifest.settings.model_config.get("env_prefix", "")).endswith("_")

    def test_every_setting_says_what_it_does(self) -> None:
        """Operators read it on the hub and in the generated reference."""
        kind = self.capability().manifest.settings
        fields = kind.model_fields if kind is not None else {}
        assert [name for name, field in fields.items() if not (field.description or "").strip()] == []

    async def test_starts_stops_and_starts_again(self, tmp_path: Path) -> None:
        """The capability starts and stops twice on the same data."""
        for _ in range(2):
            app, tested = self._app(tmp_path)
            async with started_app(app) as client:
                answer = await client.get("/health/live")
                found = app.platform.inventory.find(tested.manifest.name)
                assert answer.status_code == 200
                assert found is not None
                assert found.state == "running", found.reason

    async def test_what_it_provides_is_there(self, tmp_path: Path) -> None:
        """A port in the manifest has a service, and what is required has a provider among the companions."""
        app, tested = await self._assembled(tmp_path)
        known = {getattr(item.interface, "__name__", "") for item in app.platform.container.recipes()}
        missing = [port for port in tested.manifest.provides if _class_of(port) not in known and _is_platform(port)]
        provided = providers_of(item.manifest for item in app.platform.inventory.capabilities)
        assert missing == []
        assert [port for port in tested.manifest.requires if port not in provided] == []

    async def test_every_permission_that_a_route_asks_for_is_contributed(self, tmp_path: Path) -> None:
        """A permission that a route names exists, with a sentence for the person who grants it."""
        app, tested = await self._assembled(tmp_path)
        known = {item.name for item in app.platform.inventory.permissions}
        asked = {entry.access.permission for entry in self._own_routes(app, tested)} - {None}
        assert asked - known == set()
        assert [item.name for item in app.platform.inventory.permissions if not item.summary.strip()] == []

    async def test_every_error_has_one_problem(self, tmp_path: Path) -> None:
        """A status from 400 on, a slug that can stand in an address, a title; no error twice."""
        app, tested = await self._assembled(tmp_path)
        found = app.platform.inventory.find(tested.manifest.name)
        mappings = found.contribution.problems if found is not None else ()
        odd = [item.slug for item in mappings if not (400 <= item.status < 600 and _SLUG.fullmatch(item.slug))]
        assert odd == []
        assert [item.slug for item in mappings if not item.title.strip()] == []
        assert len({item.error for item in mappings}) == len(mappings)

    async def test_no_error_is_without_a_problem(self, tmp_path: Path) -> None:
        """Each leaf of the capability's tree of errors is mapped, or a class that it derives from is."""
        app, tested = await self._assembled(tmp_path)
        found = app.platform.inventory.find(tested.manifest.name)
        mapped = [item.error for item in found.contribution.problems] if found is not None else []
        known = (*mapped, *self.unmapped())
        missing = [leaf.__qualname__ for leaf in leaves_of(package_of(tested), mapped) if not issubclass(leaf, known)]
        assert sorted(missing) == []

    async def test_every_endpoint_is_a_coroutine(self, tmp_path: Path) -> None:
        """No endpoint runs in a thread of its own, and FastAPI takes the signature of each."""
        app, tested = await self._assembled(tmp_path)
        routes = [entry for entry in self._own_routes(app, tested) if entry.kind == "http"]
        assert [entry.path for entry in routes if not inspect.iscoroutinefunction(entry.endpoint)] == []
        for entry in routes:
            entry.target()

    async def test_protected_routes_are_closed_to_strangers(self, tmp_path: Path) -> None:
        """Nobody who presents nothing gets an answer of a protected route, nor a server error of it."""
        app, tested = self._app(tmp_path)
        async with started_app(app) as client:
            for entry in self._own_routes(app, tested):
                if entry.access.public or entry.kind != "http":
                    continue
                path = re.sub(r"\{[^}]+\}", "1", entry.path)
                for method in entry.methods:
                    status = (await client.request(method, path)).status_code
                    fits = status in _CLOSED or (status == 404 and entry.convertors)
                    assert fits, f"{method} {path}: {status}"

    async def test_a_failed_start_is_the_platforms_to_decide(self, tmp_path: Path) -> None:
        """Required, it is named and stops the start; optional, its routes say 503, the others go on and /health tells.
        Neither leaves a task behind, and stopping what did not start raises nothing.
        """
        before, settings = asyncio.all_tasks(), self.settings(tmp_path)
        strict, tested = self._failing(settings)
        name = tested.manifest.name
        if strict.assembly.loader.is_required(name):
            refusal = ""
            try:
                await strict.router.lifespan_context(strict).__aenter__()
            except CapabilityError as error:
                refusal = str(error)
            assert name in refusal
        assert tested.troubles == []
        optional, tested = self._failing(settings.model_copy(update={"optional_capabilities": (name,)}))
        async with started_app(optional) as client:
            told = (await client.get("/health")).json()
            assert (told["status"], told["capabilities"][name]["status"]) != ("healthy", "healthy")
            for entry in self._own_routes(optional, tested):
                if entry.kind == "http" and not entry.convertors:
                    status = (await client.request(min(entry.methods), entry.path)).status_code
                    assert status == 503 if entry.access.public else status in _CLOSED, f"{entry.path}: {status}"
        assert tested.troubles == []
        assert await tasks_left(before) == []

    async def test_nothing_blocks_the_loop(self, tmp_path: Path) -> None:
        """Its health checks and its jobs run, and all that can be read of it is asked for, by a stranger and by
        somebody with a token: from the second time on no coroutine makes a blocking call.
        """
        app, tested = self._app(tmp_path)
        async with started_app(app) as client:
            found = app.platform.inventory.find(tested.manifest.name)
            offered = found.contribution if found is not None else Contribution()
            steps = [*(check.check for check in offered.health_checks), *(job.run for job in offered.jobs)]
            read = [entry for entry in self._own_routes(app, tested) if entry.kind == "http" and "GET" in entry.methods]
            paths = {re.sub(r"\{[^}]+\}", "1", entry.path) for entry in read}
            ending = await those_that_end(client, paths, steps)
            with blocking_calls() as made:
                await those_that_end(client, *ending)
        assert made == []

    async def test_its_tables_come_and_go(self, tmp_path: Path) -> None:
        """Migrations go up, agree with the models, go down to nothing and up again."""
        app, tested = self._app(tmp_path)
        async with started_app(app):
            found = app.platform.inventory.find(tested.manifest.name)
            history = found.contribution.migrations if found is not None else None
            if history is None:
                return
            database = app.platform.database(tested.manifest.name)
            assert await runs.drift(database, history) == []
            await runs.downgrade(database, history, "base")
            await runs.upgrade(database, history)
            assert (await runs.status(database, history)).at_head

    async def test_nothing_secret_is_logged(self, tmp_path: Path) -> None:
        """At debug level, from start to stop, none of the secrets reaches the log."""
        app, _ = self._app(tmp_path)
        written = io.BytesIO()
        async with started_app(app) as client:
            configure_logging(self.settings(tmp_path).model_copy(update={"log_level": "debug"}), console=written)
            await client.get("/health")
        flush_logging()
        text = written.getvalue().decode("utf-8", "replace")
        assert [secret for secret in self.secrets() if secret in text] == []

    async def test_openapi_can_be_written(self, tmp_path: Path) -> None:
        """The OpenAPI document of the platform with this capability is made without an error."""
        app, _ = self._app(tmp_path)
        async with started_app(app):
            assert app.openapi()["openapi"].startswith("3.")

    def test_it_leaves_the_environment_alone(self) -> None:
        """Making the capability changes no variable."""
        before = dict(os.environ)
        self.capability()
        assert before == dict(os.environ)


_PLATFORM_PORTS = {"authenticator", "authorizer", "subject-directory", "role-administration", "audit-trail", "notifier"}


def _is_platform(port: str) -> bool:
    return port.partition("@")[0] in _PLATFORM_PORTS


def _class_of(port: str) -> str:
    return "".join(part.capitalize() for part in port.partition("@")[0].split("-"))
