"""The suite that every capability must pass: derive from it in a test module and say how the capability is made."""

import inspect
from collections.abc import Sequence
from pathlib import Path

from fastapi_services_platform.capability.manifest import Capability
from fastapi_services_platform.config.settings import PlatformSettings
from fastapi_services_platform.engine.app_factory import PlatformApp, create_app
from fastapi_services_platform.testing.started_app import settings_for, started_app


class CapabilityConformance:
    """Derive ``TestConformance(CapabilityConformance)`` and implement :meth:`capability`."""

    def capability(self) -> Capability:
        """A fresh object of the capability under test."""
        raise NotImplementedError("return a new object of your capability")

    def companions(self) -> Sequence[Capability]:
        """Capabilities that provide what this one requires."""
        return ()

    def settings(self, folder: Path) -> PlatformSettings:
        """Settings of the platform for the tests."""
        return settings_for(folder)

    def _app(self, folder: Path) -> tuple[PlatformApp, Capability]:
        tested = self.capability()
        app = create_app(self.settings(folder), capabilities=[tested, *self.companions()])
        if not isinstance(app, PlatformApp):
            raise TypeError("create_app returned another application")
        return app, tested

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

    async def test_every_route_declares_access_and_its_permission_is_contributed(self, tmp_path: Path) -> None:
        """Each route says who may call it; a permission that it names exists."""
        app, tested = self._app(tmp_path)
        async with started_app(app):
            known = {permission.name for permission in app.platform.inventory.permissions}
            own = [entry for entry in app.platform.inventory.routes if entry.owner.name == tested.manifest.name]
            assert [
                entry.path for entry in own if entry.access.permission and entry.access.permission not in known
            ] == []

    async def test_every_endpoint_is_a_coroutine(self, tmp_path: Path) -> None:
        """No endpoint runs in a thread of its own."""
        app, tested = self._app(tmp_path)
        async with started_app(app):
            own = [entry for entry in app.platform.inventory.routes if entry.owner.name == tested.manifest.name]
            plain = [
                entry.path for entry in own if entry.kind == "http" and not inspect.iscoroutinefunction(entry.endpoint)
            ]
            assert plain == []

    async def test_protected_routes_are_closed_to_strangers(self, tmp_path: Path) -> None:
        """Nobody who presents nothing gets an answer of a protected route, nor a server error of it."""
        app, tested = self._app(tmp_path)
        async with started_app(app) as client:
            own = [entry for entry in app.platform.inventory.routes if entry.owner.name == tested.manifest.name]
            for entry in own:
                if entry.access.public or entry.kind != "http":
                    continue
                path = entry.path
                for name in entry.convertors:
                    path = (
                        path.replace(f"{{{name}}}", "1")
                        .replace(f"{{{name}:path}}", "1")
                        .replace(f"{{{name}:int}}", "1")
                    )
                for method in entry.methods:
                    answer = await client.request(method, path)
                    assert answer.status_code in (303, 401, 403, 503), f"{method} {path}: {answer.status_code}"

    async def test_openapi_can_be_written(self, tmp_path: Path) -> None:
        """The OpenAPI document of the platform with this capability is made without an error."""
        app, _ = self._app(tmp_path)
        async with started_app(app):
            assert app.openapi()["openapi"].startswith("3.")
