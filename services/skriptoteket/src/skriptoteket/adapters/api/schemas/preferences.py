"""Preferences: wire shapes."""

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from skriptoteket.core.preferences.models import SettingsView


class SettingsIn(BaseModel):
    """New values, and the rev that they replace (0: nothing was saved yet)."""

    model_config = ConfigDict(extra="forbid")

    values: dict[str, JsonValue] = Field(max_length=50)
    expected_rev: int = Field(ge=0, le=2_147_483_647)


class TrialSettingsIn(SettingsIn):
    """New values for trials; ``snapshot_id`` is in the answer of the sandbox run."""

    snapshot_id: str = Field(max_length=36)


class SettingsOut(BaseModel):
    """Settings under the active version's schema."""

    settings_schema: list[dict[str, JsonValue]]
    values: dict[str, JsonValue]
    rev: int
    dropped: list[str]
    missing: list[str]

    @classmethod
    def of(cls, view: SettingsView) -> "SettingsOut":
        """The wire shape of settings."""
        return cls(
            settings_schema=[dict(each) for each in view.schema],
            values=dict(view.values),
            rev=view.rev,
            dropped=list(view.dropped),
            missing=[issue.field.removeprefix("settings.") for issue in view.missing],
        )
