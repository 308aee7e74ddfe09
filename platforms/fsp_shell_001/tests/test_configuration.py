"""What lies beside the wheels is complete and valid."""

from __future__ import annotations

import json
import os
import shutil
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from au_sys_python_factory.shell.assembly.configuration import EXAMPLE, RANDOM, process_environment, read_variables
from au_sys_python_factory.shell.supervision.state import StateFolder
from fastapi_services_platform import PlatformSettings
from fastapi_services_platform.config.files import check_capability_names, read_configuration

CONFIG = Path(__file__).resolve().parents[1] / "config"


def settings_classes() -> list[type[BaseSettings]]:
    """Of the platform and of every installed capability."""
    manifests = [point.load().manifest for point in entry_points(group="au_sys_plugins")]
    return [PlatformSettings, *[manifest.settings for manifest in manifests if manifest.settings]]


def test_the_example_names_every_setting() -> None:
    """Each field of each settings class is a line of the example, and nothing else is."""
    expected = {
        f"{settings.model_config['env_prefix']}{name}".upper()
        for settings in settings_classes()
        for name in settings.model_fields
    }
    assert {variable.name for variable in read_variables(CONFIG / EXAMPLE)} == expected


def test_the_example_holds_no_real_secret() -> None:
    """What is typed as a secret is made at the first start or left empty."""
    secret = {
        f"{settings.model_config['env_prefix']}{name}".upper()
        for settings in settings_classes()
        for name, field in settings.model_fields.items()
        if "Secret" in str(field.annotation)
    }
    values = {variable.value for variable in read_variables(CONFIG / EXAMPLE) if variable.name in secret}
    assert values <= {RANDOM, ""}


def test_the_settings_are_accepted_as_the_shell_sets_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every settings class takes the environment that the processes of the shell get."""
    state = StateFolder(tmp_path / "shell")
    state.prepare()
    environment = process_environment(CONFIG, state, host="127.0.0.1", port=8001, caller={"FSP_STRAY": "1"})
    assert "FSP_STRAY" not in environment
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for settings in settings_classes():
        settings()


def test_the_configuration_files_are_valid_and_name_installed_capabilities() -> None:
    """The runtime reads both files; the flags are JSON."""
    present = [point.name for point in entry_points(group="au_sys_plugins")]
    check_capability_names(read_configuration(CONFIG), present)
    assert isinstance(json.loads((CONFIG / "feature_flags.json").read_text()), dict)


def test_what_changes_while_it_runs_is_no_source_file(tmp_path: Path) -> None:
    """Processes read a copy: a changed flag stays there over a restart, until somebody edits the platform's file."""
    config, state = tmp_path / "config", StateFolder(tmp_path / "shell")
    shutil.copytree(CONFIG, config)
    state.prepare()

    def copy() -> Path:
        environment = process_environment(config, state, host="127.0.0.1", port=8001, caller={})
        return Path(environment["FSP_CONFIG_DIR"]) / "feature_flags.json"

    copy().write_text('{"changed": 1}')
    assert (copy().read_text(), (config / "feature_flags.json").read_text()) == ('{"changed": 1}', "{}\n")
    (config / "feature_flags.json").write_text('{"edited": 1}')
    os.utime(config / "feature_flags.json", (copy().stat().st_mtime + 1,) * 2)
    assert copy().read_text() == '{"edited": 1}'
