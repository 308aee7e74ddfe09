"""The platform's search finds namespaces, for those who may see them."""

from pathlib import Path

from au_sys_storage_sdk.manifest.plugin import Storage
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import believing_identity
from fastapi_services_platform.testing.started_app import settings_for


async def test_namespaces_are_found_by_a_part_of_their_name(tmp_path: Path) -> None:
    """Not the platform's own, and only by somebody with the right."""
    denied = frozenset({"storage.backends.read"})
    for capability, expected in ((believing_identity(), True), (believing_identity(denied), False)):
        async with started_app(settings=settings_for(tmp_path), capabilities=[Storage(), capability]) as client:
            client.headers["Authorization"] = "Bearer ada"
            await client.put("/storage/shopping.notes/k", json=1)
            page = (await client.get("/search?q=NOTES", headers={"Accept": "text/html"})).text
            assert expected == ("/admin/storage/shopping.notes" in page)
