"""Per-user settings: they follow the schema of the active version, field by field."""

from collections.abc import Mapping

from skriptoteket.core.errors import Conflict, FieldIssue, ValidationFailed
from skriptoteket.core.fields.forms import Fields, form_issues, plain_fields
from skriptoteket.core.fields.values import accept_value, is_absent
from skriptoteket.core.identifiers import ToolId
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.ports import UnitOfWork
from skriptoteket.core.preferences.models import SettingsView, UserSettings, instructions_hash
from skriptoteket.core.preferences.ports import PreferenceStore, PreferenceUnit
from skriptoteket.core.versions.models import Behaviour


def under(schema: Fields, stored: UserSettings) -> SettingsView:
    """Stored values under a schema: what still fits counts, the rest is dropped and named, defaults fill the gaps."""
    values: dict[str, JsonValue] = {}
    dropped = {name for name in stored.values if name not in {str(each["name"]) for each in plain_fields(schema)}}
    missing: list[FieldIssue] = []
    for field in plain_fields(schema):
        name = str(field["name"])
        given = stored.values.get(name)
        if not is_absent(given):
            value, problem = accept_value(field, given)
            if problem is None:
                values[name] = value
                continue
            dropped.add(name)
        if not is_absent(field.get("default")):
            values[name], _ = accept_value(field, field["default"])
        elif field.get("required"):
            missing.append(FieldIssue(f"settings.{name}", "required", "must be set before the tool can be run"))
    return SettingsView(schema, values, stored.rev, tuple(sorted(dropped)), tuple(missing))


async def settings_of_a_run(
    store: PreferenceStore, tool_id: ToolId, behaviour: Behaviour, subject: str, *, trial: bool = False
) -> Mapping[str, JsonValue]:
    """What a run gets.

    Raises:
        ValidationFailed: a required setting is missing, one issue for each.
    """
    if not behaviour.settings_schema:
        return {}
    found = under(behaviour.settings_schema, await store.settings(tool_id, subject, trial=trial))
    if found.missing:
        raise ValidationFailed(found.missing)
    return found.values


class Preferences:
    """The verbs *look at*, *save* and *see*. Lives as long as the app."""

    def __init__(self, work: UnitOfWork[PreferenceUnit]) -> None:
        self._work = work

    async def look(self, tool_id: ToolId, behaviour: Behaviour, subject: str, *, trial: bool = False) -> SettingsView:
        """One's settings under a version. What no longer fits is named now and forgotten."""
        async with self._work.read() as unit:
            stored = await unit.preferences.settings(tool_id, subject, trial=trial)
        found = under(behaviour.settings_schema, stored)
        if found.dropped:
            kept = {name: value for name, value in stored.values.items() if name not in found.dropped}
            cleaned = UserSettings(tool_id, subject, kept, stored.rev + 1, trial)
            async with self._work.write() as unit:
                if await unit.preferences.save_settings(cleaned, stored.rev):
                    return SettingsView(found.schema, found.values, cleaned.rev, found.dropped, found.missing)
        return found

    async def save(
        self,
        tool_id: ToolId,
        behaviour: Behaviour,
        subject: str,
        values: Mapping[str, object],
        expected_rev: int,
        *,
        trial: bool = False,
    ) -> SettingsView:
        """Replace one's settings.

        Raises:
            ValidationFailed: with one issue per wrong field.
            Conflict: ``settings_rev_stale``, with the present rev: they were saved elsewhere since.
        """
        accepted, issues = form_issues(behaviour.settings_schema, values)
        if issues:
            raise ValidationFailed(issues, values)
        async with self._work.write() as unit:
            made = UserSettings(tool_id, subject, accepted, expected_rev + 1, trial)
            if not await unit.preferences.save_settings(made, expected_rev):
                now = await unit.preferences.settings(tool_id, subject, trial=trial)
                facts = {"rev": now.rev}
                text = "These settings were saved elsewhere since you opened them. Look at them again, then save."
                raise Conflict("settings_rev_stale", text, facts)
        return under(behaviour.settings_schema, made)

    async def has_seen(self, tool_id: ToolId, behaviour: Behaviour, subject: str) -> bool:
        """Whether these very instructions were seen; a tool without any has nothing to see."""
        wanted = instructions_hash(behaviour.usage_instructions)
        if not wanted:
            return True
        async with self._work.read() as unit:
            return await unit.preferences.seen(tool_id, subject) == wanted

    async def see(self, tool_id: ToolId, behaviour: Behaviour, subject: str) -> None:
        """Fold the instructions away until they change; idempotent."""
        async with self._work.write() as unit:
            await unit.preferences.see(tool_id, subject, instructions_hash(behaviour.usage_instructions))
