"""Setting wire shapes."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from au_sys_identity.core.settings.models import ShownSetting, ShownSettings

_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)


class SettingOut(BaseModel):
    """One setting. ``pinned`` ones are changed in the environment only; secrets are masked."""

    name: str
    value: JsonValue
    default: JsonValue
    source: str
    pinned: bool
    type: str
    description: str

    @classmethod
    def of(cls, shown: ShownSetting) -> Self:
        """The wire shape."""
        setting = shown.setting
        return cls(
            name=setting.name,
            value=_JSON.validate_python(shown.value),
            default=_JSON.validate_python(shown.default),
            source=shown.source,
            pinned=setting.pinned,
            type=setting.type,
            description=setting.description,
        )


class SettingsOut(BaseModel):
    """All settings; ``version`` grows with every change."""

    items: list[SettingOut]
    version: int

    @classmethod
    def of(cls, shown: ShownSettings) -> Self:
        """The wire shape."""
        return cls(items=[SettingOut.of(item) for item in shown.items], version=shown.version)


class SettingsChange(BaseModel):
    """Values by name; ``null`` goes back to the default."""

    model_config = ConfigDict(extra="forbid")

    values: dict[str, JsonValue] = Field(min_length=1, max_length=100, repr=False)
    accept_weaker: bool = False
