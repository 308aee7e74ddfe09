"""A core stays pure at run time too: importing it in a fresh interpreter loads no framework."""

from __future__ import annotations

import subprocess
import sys

import pytest

FRAMEWORKS = (
    "fastapi",
    "starlette",
    "sqlalchemy",
    "alembic",
    "httpx",
    "jinja2",
    "pydantic_settings",
    "pydantic",
    "click",
    "apsw",
    "uvicorn",
    "fastapi_services_platform",
)


@pytest.mark.parametrize("package", ["au_sys_identity", "au_sys_storage_sdk", "skriptoteket"])
def test_importing_every_core_module_loads_no_framework(package: str) -> None:
    """Import-linter does not see what importing a parent package pulls in; a fresh interpreter does."""
    program = f"""
import importlib, pkgutil, sys
import {package}.core as core
for module in pkgutil.walk_packages(core.__path__, core.__name__ + "."):
    importlib.import_module(module.name)
print(",".join(sorted(set({FRAMEWORKS!r}) & set(sys.modules))))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr or done.stdout
