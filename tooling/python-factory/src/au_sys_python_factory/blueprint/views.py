"""Fields as templates see them: each kind with its type, column, wire shape, form control and samples."""

from dataclasses import dataclass
from typing import NamedTuple

from au_sys_python_factory.blueprint.fields import Field
from au_sys_python_factory.blueprint.naming import Noun, pascal


class Kind(NamedTuple):
    """What a kind is in each layer; ``{v}`` stands for the value's expression."""

    python: str
    column: str
    to_row: str = "{v}"
    from_row: str = "{v}"
    wire: str = ""
    to_form: str = "str({v})"
    shown: str = "{v}"
    widget: str = "text"
    sample: str = '"Blue"'
    sample_json: str = '"Blue"'
    sample_form: str = "Blue"


KINDS = {
    "str": Kind("str", "String({most})", to_form="{v}"),
    "text": Kind("str", "Text", to_form="{v}", widget="textarea"),
    "int": Kind("int", "Integer", widget="number", sample="{n}", sample_json="{n}", sample_form="{n}"),
    "decimal": Kind(
        "Decimal", "String(40)", "str({v})", "Decimal({v})", sample='Decimal("{n}")', sample_json='"{n}"',
        sample_form="{n}",
    ),
    "bool": Kind(
        "bool", "Boolean", to_form='"on" if {v} else ""', shown='"yes" if {v} else "no"', widget="checkbox",
        sample="True", sample_json="True", sample_form="on",
    ),
    "date": Kind(
        "date", "Date", to_form="{v}.isoformat()", widget="date", sample="date(2026, 2, 3)", sample_json='"2026-02-03"',
        sample_form="2026-02-03",
    ),
    "datetime": Kind(
        "datetime", "Moment", wire="AwareDatetime", to_form="{v}.isoformat()", shown="{v} | moment",
        sample="datetime(2026, 2, 3, 4, 5, tzinfo=UTC)", sample_json='"2026-02-03T04:05:00Z"',
        sample_form="2026-02-03T04:05:00Z",
    ),
    "uuid": Kind(
        "UUID", "Uuid", sample='UUID("0189c1c4-7b1c-7c3a-9d4e-0123456789ab")',
        sample_json='"0189c1c4-7b1c-7c3a-9d4e-0123456789ab"', sample_form="0189c1c4-7b1c-7c3a-9d4e-0123456789ab",
    ),
    "email": Kind(
        "str", "String(254)", to_form="{v}", widget="email", sample='"ada@school.example"',
        sample_json='"ada@school.example"', sample_form="ada@school.example",
    ),
}  # fmt: skip


class Choice(NamedTuple):
    """One value of an enum."""

    name: str
    value: str
    label: str


@dataclass(frozen=True)
class FieldView:
    """One field for the templates."""

    field: Field
    noun: Noun

    @property
    def name(self) -> str:
        """As in code."""
        return self.field.name

    @property
    def label(self) -> str:
        """As people read it."""
        return self.name.replace("_", " ").capitalize()

    @property
    def optional(self) -> bool:
        """Whether it may be empty."""
        return self.field.optional

    @property
    def enum(self) -> str:
        """The class of an enum field."""
        return f"{self.noun.One}{pascal(self.name)}" if self.field.kind == "enum" else ""

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The values of an enum field."""
        return tuple(Choice(value.upper(), value, value.replace("_", " ").capitalize()) for value in self.field.choices)

    @property
    def kind(self) -> Kind:
        """What the kind is in each layer."""
        if self.field.kind == "enum":
            first = self.field.choices[0]
            return Kind(
                self.enum, "String(40)", "{v}.value", f"{self.enum}({{v}})", to_form="{v}.value", shown="{v}.value",
                widget="select", sample=f"{self.enum}.{first.upper()}", sample_json=f'"{first}"', sample_form=first,
            )  # fmt: skip
        if self.field.kind == "list":
            return self._list_kind
        return KINDS[self.field.kind]

    @property
    def _list_kind(self) -> Kind:
        item = KINDS[self.field.item]
        plain = self.field.item in ("str", "int", "email")
        to_row = "list({v})" if plain else "[str(item) for item in {v}]"
        made = {"decimal": "Decimal(item)", "date": "date.fromisoformat(item)", "uuid": "UUID(item)"}.get(
            self.field.item, "item"
        )
        from_row = "tuple({v})" if plain else f"tuple({made} for item in {{v}})"
        sample, sample_json = (text.replace("{n}", "7") for text in (item.sample, item.sample_json))
        return Kind(
            f"tuple[{item.python}, ...]", "JSON", to_row, from_row, wire=f"list[{item.python}]",
            to_form='"\\n".join(str(item) for item in {v})', shown='{v} | join(", ")', widget="textarea",
            sample=f"({sample},)", sample_json=f"[{sample_json}]", sample_form=item.sample_form.replace("{n}", "7"),
        )  # fmt: skip

    @property
    def number(self) -> str:
        """A number within the bounds, for samples."""
        low, high = float(self.field.least or 0), float(self.field.most or 0)
        return "7" if low <= 7 <= high else self.field.least

    @property
    def annotation(self) -> str:
        """The type in the core."""
        return f"{self.kind.python} | None" if self.optional else self.kind.python

    @property
    def wire(self) -> str:
        """The type on the wire."""
        python = self.kind.wire or self.kind.python
        return f"{python} | None" if self.optional else python

    @property
    def schema(self) -> str:
        """The type on the wire with its bounds and default, as callers write it."""
        bounds = ", ".join(self._bounds)
        if self.optional:
            return f"{self.wire} = Field(None{', ' + bounds if bounds else ''})" if bounds else f"{self.wire} = None"
        if self.field.kind == "list":
            return f"{self.wire} = Field(default_factory=list, {bounds})"
        if self.field.kind == "bool":
            return f"{self.wire} = False"
        if self.field.kind == "text" and self.field.least == "0":
            return f'{self.wire} = Field("", {bounds})'
        return f"{self.wire} = Field({bounds})" if bounds else self.wire

    @property
    def _bounds(self) -> list[str]:
        low, high = self.field.least, self.field.most
        if self.field.kind in ("str", "text"):
            return ([f"min_length={low}"] if low != "0" else []) + [f"max_length={high}"]
        if self.field.kind == "int":
            return [f"ge={low}", f"le={high}"]
        if self.field.kind == "decimal":
            return [f'ge=Decimal("{low}")', f'le=Decimal("{high}")', "max_digits=18", "decimal_places=6"]
        return {"email": ["max_length=254"], "list": [f"max_length={high}"]}.get(self.field.kind, [])

    @property
    def column(self) -> str:
        """The SQLAlchemy type."""
        return self.kind.column.format(most=self.field.most)

    @property
    def migration_column(self) -> str:
        """The same in a migration, where SQLAlchemy is called ``sa``."""
        return self.column if self.column == "Moment" else f"sa.{self.column}"

    def _guarded(self, expression: str, value: str) -> str:
        made = expression.format(v=value)
        return f"None if {value} is None else {made}" if self.optional and made != value else made

    @property
    def to_row(self) -> str:
        """From the core to the table."""
        return self._guarded(self.kind.to_row, f"content.{self.name}")

    @property
    def from_row(self) -> str:
        """From the table to the core."""
        return self._guarded(self.kind.from_row, f'row["{self.name}"]')

    @property
    def from_schema(self) -> str:
        """From the wire to the core."""
        return self._guarded("tuple({v})" if self.field.kind == "list" else "{v}", f"self.{self.name}")

    @property
    def to_wire(self) -> str:
        """From the core to the wire."""
        return self._guarded("list({v})" if self.field.kind == "list" else "{v}", f"content.{self.name}")

    @property
    def to_form(self) -> str:
        """From the core to a form control."""
        value = f"content.{self.name}"
        made = self.kind.to_form.format(v=value)
        return f'"" if {value} is None else {made}' if self.optional else made

    def shown(self, content: str) -> str:
        """An expression of Jinja2 that shows the value of ``content``."""
        value = f"{content}.{self.name}"
        made = self.kind.shown.format(v=value)
        return f'({made}) if {value} is not none else "–"' if self.optional else made

    @property
    def form(self) -> str:
        """How a form sends it: text, lines or a box."""
        return {"list": "list", "bool": "box"}.get(self.field.kind, "text")

    @property
    def widget(self) -> str:
        """The HTML control."""
        return self.kind.widget

    @property
    def control(self) -> str:
        """The call of the platform's component that shows the field in a form."""
        parts = [f'"{self.name}"', f'"{self.label}"', f'"{self.widget}"', f'error=form.errors.get("{self.name}", "")']
        if self.widget == "checkbox":
            parts.append(f'checked=form.values.get("{self.name}", "") != ""')
            return f"ui.field({', '.join(parts)})"
        parts.append(f'value=form.values.get("{self.name}", "")')
        if not self.optional and self.field.kind not in ("bool", "list") and self.field.least != "0":
            parts.append("required=true")
        if self.widget == "select":
            options = [("", ""), *self.choices_for_forms] if self.optional else self.choices_for_forms
            parts.append(f"options={options!r}")
        if self.field.kind == "list":
            parts.append('help="One on each line."')
        return f"ui.field({', '.join([*parts, *self._attributes])})"

    @property
    def choices_for_forms(self) -> list[tuple[str, str]]:
        """Values of an enum with what people read."""
        return [(choice.value, choice.label) for choice in self.choices]

    @property
    def _attributes(self) -> list[str]:
        """Attributes of the control that help before anything is sent."""
        low, high = self.field.least, self.field.most
        found = {
            "str": f'"maxlength": {high}',
            "text": f'"maxlength": {high}',
            "int": f'"min": {low}, "max": {high}',
            "decimal": '"inputmode": "decimal"',
        }.get(self.field.kind, "")
        return [f"attrs={{{found}}}"] if found else []

    @property
    def checks(self) -> list[str]:
        """Calls of the core that hold the rules of the field."""
        value, low, high = f"self.{self.name}", self.field.least, self.field.most
        if self.field.kind in ("str", "text"):
            return [f'check_length("{self.name}", {value}, {low}, {high})']
        if self.field.kind == "int":
            return [f'check_range("{self.name}", {value}, {low}, {high})']
        if self.field.kind == "decimal":
            return [f'check_range("{self.name}", {value}, Decimal("{low}"), Decimal("{high}"))']
        if self.field.kind == "list":
            return [f'check_count("{self.name}", {value}, {high})']
        return {
            "email": [f'check_email("{self.name}", {value})'],
            "datetime": [f'check_moment("{self.name}", {value})'],
        }.get(self.field.kind, [])

    @property
    def bad(self) -> str:
        """A value that breaks the rule; empty where the type alone is the rule."""
        if self.field.kind in ("str", "text"):
            return f'"x" * {int(self.field.most) + 1}'
        if self.field.kind in ("int", "decimal"):
            made = f"{self.field.most}"
            return f"{made} + 1" if self.field.kind == "int" else f'Decimal("{made}") + 1'
        return {
            "email": '"nobody"',
            "datetime": "datetime(2026, 2, 3)",
            "list": f'("x",) * {int(self.field.most or 0) + 1}',
        }.get(self.field.kind, "")

    def sample(self, style: str) -> str:
        """A good value: ``core`` as Python, ``json`` as Python for JSON, ``form`` as text."""
        text = {"core": self.kind.sample, "json": self.kind.sample_json, "form": self.kind.sample_form}[style]
        made = text.replace("{n}", self.number)
        longest = int(self.field.most or 0) if self.field.kind in ("str", "text") else 0
        least = int(self.field.least or 0) if longest else 0
        if longest and not least <= 4 <= longest:
            word = ("Blue" * (least // 4 + 1))[: max(least, 1)] if least > 4 else "Blue"[: max(longest, 1)]
            made = made.replace("Blue", word)
        return made
