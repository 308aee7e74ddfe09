"""Settings: documented, validated, strict in production."""

import base64
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from au_sys_identity.manifest.config import IdentitySettings
from au_sys_identity.manifest.parts.ground import UnsafeSetting, cookie_names, root_key
from fastapi_services_platform import PlatformSettings

KEY = SecretStr(base64.b64encode(bytes(range(32))).decode())
EXAMPLE = Path(__file__).parents[2] / ".env.example"


def _platform(folder: Path, **values: object) -> PlatformSettings:
    return PlatformSettings.model_validate(
        {"environment": "prod", "data_dir": folder, "public_url": "https://id.example.org", "secret_key": "x", **values}
    )


def test_every_setting_is_in_the_example() -> None:
    """The example file names each setting once."""
    text = EXAMPLE.read_text(encoding="utf-8")
    missing = [name for name in IdentitySettings.model_fields if f"IDENTITY_{name.upper()}=" not in text]
    assert missing == []


def test_every_setting_is_described() -> None:
    """Each setting has a sentence."""
    assert [name for name, field in IdentitySettings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("text", ["short", "AAAA" * 11, base64.b64encode(b"\0" * 32).decode(), "€" * 44])
def test_bad_keys_are_refused(text: str) -> None:
    """A short, regular or undecodable key is an error that does not show the key."""
    with pytest.raises(ValidationError) as refused:
        IdentitySettings(secret_key=SecretStr(text))
    assert text not in str(refused.value)


def test_production_needs_a_key(tmp_path: Path) -> None:
    """Without a key production does not start, and the setting is named."""
    with pytest.raises(UnsafeSetting, match="IDENTITY_SECRET_KEY"):
        root_key(IdentitySettings(), _platform(tmp_path))
    root_key(IdentitySettings(secret_key=KEY), _platform(tmp_path))


def test_development_keeps_a_key_for_its_owner_only(tmp_path: Path) -> None:
    """The generated file is 0600, and a second start reads the same key."""
    platform = _platform(tmp_path, environment="dev")
    first = root_key(IdentitySettings(), platform).keyed_hash("test", b"x")
    assert root_key(IdentitySettings(), platform).keyed_hash("test", b"x") == first
    assert stat.S_IMODE((tmp_path / "identity.key").stat().st_mode) == 0o600


def test_cookies_are_secure_wherever_browsers_come_over_https(tmp_path: Path) -> None:
    """Over https the names carry the __Host- prefix; plain http in production is refused beyond loopback."""
    assert cookie_names(_platform(tmp_path)).session == "__Host-identity_session"
    assert cookie_names(_platform(tmp_path, public_url="http://localhost:8000")).session == "identity_session"
    with pytest.raises(UnsafeSetting, match="FSP_PUBLIC_URL"):
        cookie_names(_platform(tmp_path, public_url="http://id.example.org"))
