"""A platform made of whatever capabilities are installed, in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment of a fresh installation; returns its configuration folder."""
    config = tmp_path / "config"
    config.mkdir()
    for name, value in {
        "FSP_ENVIRONMENT": "test",
        "FSP_DATA_DIR": str(tmp_path / "data"),
        "FSP_CONFIG_DIR": str(config),
        "FSP_PUBLIC_URL": "http://platform.test",
    }.items():
        monkeypatch.setenv(name, value)
    return config
