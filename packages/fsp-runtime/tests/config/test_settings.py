"""Settings from the environment: errors name variable, rule and fix."""

import pytest
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from fastapi_services_platform.config.settings import platform_settings, valid_settings
from fastapi_services_platform.errors import ConfigurationError

BAD = [
    ({"FSP_ENVIRONMNT": "dev"}, "FSP_ENVIRONMNT: unknown variable.", "did you mean FSP_ENVIRONMENT?"),
    ({"FSP_ENVIRONMENT": "production"}, "FSP_ENVIRONMENT: Input should be 'dev', 'test' or 'prod'.", "overlay"),
    ({"FSP_MAX_BODY_BYTES": "many"}, "FSP_MAX_BODY_BYTES: Input should be a valid integer", "Largest request body"),
    ({"FSP_REQUEST_TIMEOUT": "0"}, "FSP_REQUEST_TIMEOUT: Input should be greater than 0.", "Seconds"),
    ({"FSP_ENVIRONMENT": "prod"}, "FSP_SECRET_KEY: must be set when environment is prod.", "Key"),
]


@pytest.mark.parametrize(("variables", "message", "fix"), BAD)
def test_broken_values_name_variable_rule_and_fix(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], message: str, fix: str
) -> None:
    """One sentence says which variable, what is wrong and what to do."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        platform_settings()
    assert message in str(caught.value)
    assert fix in str(caught.value)


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blanks and empty parts do not matter."""
    monkeypatch.setenv("FSP_TRUSTED_HOSTS", "a.example, b.example,,")
    assert platform_settings().trusted_hosts == ("a.example", "b.example")


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """repr hides the key."""
    monkeypatch.setenv("FSP_SECRET_KEY", "hunter2hunter2")
    assert "hunter2" not in repr(platform_settings())


@pytest.mark.parametrize(
    ("value", "message"),
    [("a;b", "TRIAL_WEIGHTS: is not valid JSON."), ('{"a": "x"}', "TRIAL_WEIGHTS: a: Input should be a valid integer")],
)
def test_what_is_to_be_json_is_named_too(monkeypatch: pytest.MonkeyPatch, value: str, message: str) -> None:
    """Also where the text is no JSON at all, or is wrong inside."""

    class Trial(BaseSettings):
        model_config = SettingsConfigDict(env_prefix="TRIAL_")

        weights: dict[str, int] = Field({}, description="How heavy each is.")

    monkeypatch.setenv("TRIAL_WEIGHTS", value)
    with pytest.raises(ConfigurationError) as caught:
        valid_settings(Trial)
    assert message in str(caught.value)
    assert "How heavy each is." in str(caught.value)
