"""Read and validate the two YAML files of the router factory; an error names file, line, key, allowed values,
nearest valid key.
"""

import difflib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Self, TypeVar, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from fastapi_services_platform.errors import ConfigurationError

SETTINGS_FILE = "router_factory_settings.yaml"
FEATURES_FILE = "router_factory_features.yaml"
FLAGS_FILE = "feature_flags.json"
KEPT_FLAGS_FILE = "feature_flags.last-good.json"

Model = TypeVar("Model", bound=BaseModel)
OperationIds = Literal["capability_function", "function"]
TierName = Literal["api", "ui", "platform_api", "platform_ui"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _is_rate_limit(text: str) -> str:
    from limits import parse

    try:
        parse(text)
    except ValueError:
        raise ValueError("is not a rate limit; write for example 100/minute") from None
    return text


RateLimit = Annotated[str, AfterValidator(_is_rate_limit)]


class TierSettings(_Strict):
    """What holds for every router of a tier. ``address_rate_limit`` counts an address, whoever asks;
    ``max_concurrent_requests`` are the places that the tier has of the platform's.
    """

    rate_limit: RateLimit | None = None
    address_rate_limit: RateLimit | None = None
    prefix: str = Field("", pattern=r"^(/[a-z0-9_\-/]*[a-z0-9_\-])?$")
    max_body_bytes: int | None = Field(None, ge=1024)
    request_timeout: float | None = Field(None, gt=0)
    max_concurrent_requests: int | None = Field(None, ge=1)
    include_in_schema: bool | None = None


class RouterSettings(_Strict):
    """What holds for one router of a capability; ``route_limits`` for single routes by their path template."""

    rate_limit: RateLimit | None = None
    route_limits: dict[str, RateLimit] = {}
    prefix: str | None = Field(None, pattern=r"^(/[a-z0-9_\-/]*[a-z0-9_\-])?$")
    max_body_bytes: int | None = Field(None, ge=1024)
    request_timeout: float | None = Field(None, gt=0)
    deprecated: bool = False
    sunset: date | None = None


class CapabilitySettings(_Strict):
    """What holds for one capability."""

    prefix: str = Field("", pattern=r"^(/[a-z0-9_\-/]*[a-z0-9_\-])?$")
    routers: dict[str, RouterSettings] = {}


class DocumentationSettings(_Strict):
    """Who may read the OpenAPI document."""

    openapi: Literal["public", "authenticated", "off"] = "authenticated"


class ResiliencePolicy(_Strict):
    """How patient, how often and how wide calls are; only what is written counts."""

    attempt_seconds: float = Field(5.0, gt=0)
    total_seconds: float = Field(15.0, gt=0)
    attempts: int = Field(3, ge=1, le=10)
    connections: int = Field(20, ge=1)
    waiting: int = Field(40, ge=0)
    rest_seconds: float = Field(5.0, gt=0)
    http2: bool = False


class UpstreamSettings(ResiliencePolicy):
    """How an upstream is called, over what the capability says of it: its own word, else that of its policy."""

    base_url: str = Field("", pattern=r"^https?://[^\s@]+$")
    policy: str | None = None


def _is_each_tier_once(order: tuple[str, ...]) -> tuple[str, ...]:
    if sorted(order) != sorted(get_args(TierName)):
        raise ValueError(f"names each tier once: {', '.join(get_args(TierName))}")
    return order


class RouterFactorySettings(_Strict):
    """The content of ``router_factory_settings.yaml``. ``tier_order`` is the order of registration; the hub's pages
    come last in every order.
    """

    tier_order: Annotated[tuple[TierName, ...], AfterValidator(_is_each_tier_once)] = get_args(TierName)
    tiers: dict[TierName, TierSettings] = {}
    capabilities: dict[str, CapabilitySettings] = {}
    policies: dict[str, ResiliencePolicy] = {}
    upstreams: dict[str, UpstreamSettings] = {}
    documentation: DocumentationSettings = DocumentationSettings()
    operation_ids: OperationIds = "capability_function"

    @model_validator(mode="after")
    def _policies_are_there(self) -> Self:
        for name, upstream in self.upstreams.items():
            if upstream.policy is not None and upstream.policy not in self.policies:
                known = ", ".join(sorted(self.policies)) or "none"
                raise ValueError(f"upstream {name!r} is bound to the policy {upstream.policy!r}, but there is {known}")
        return self

    def terms_of_upstreams(self) -> dict[str, dict[str, object]]:
        """What is written of each upstream: its policy's values under its own."""
        found: dict[str, dict[str, object]] = {}
        for name, upstream in self.upstreams.items():
            policy = self.policies[upstream.policy] if upstream.policy is not None else ResiliencePolicy()
            own = upstream.model_dump(exclude_unset=True, exclude={"policy"})
            found[name] = {**policy.model_dump(exclude_unset=True), **own}
        return found


class CapabilityFeatures(_Strict):
    """Which parts of a capability are on."""

    enabled: bool = True
    required: bool | None = None
    routers: dict[str, bool] = {}
    jobs: dict[str, bool] = {}
    commands: dict[str, bool] = {}
    pages: bool = True


class FeatureSet(_Strict):
    """Capabilities by name."""

    capabilities: dict[str, CapabilityFeatures] = {}


class RouterFactoryFeatures(FeatureSet):
    """The content of ``router_factory_features.yaml``: the base, and an overlay for each environment."""

    overlays: dict[Literal["dev", "test", "prod"], FeatureSet] = {}

    def in_environment(self, environment: str) -> dict[str, CapabilityFeatures]:
        """The base with the overlay of one environment laid over it, key by key."""
        merged = dict(self.capabilities)
        for key, overlay in self.overlays.items():
            if key != environment:
                continue
            for name, features in overlay.capabilities.items():
                under = merged.get(name, CapabilityFeatures())
                changes = {item: getattr(features, item) for item in features.model_fields_set}
                for table in ("routers", "jobs", "commands"):
                    if table in changes:
                        changes[table] = {**getattr(under, table), **changes[table]}
                merged[name] = under.model_copy(update=changes)
        return merged


@dataclass(frozen=True, slots=True)
class Configuration:
    """Both files, validated; ``folder`` is ``None`` when the defaults serve."""

    folder: Path | None = None
    settings: RouterFactorySettings = field(default_factory=RouterFactorySettings)
    features: RouterFactoryFeatures = field(default_factory=RouterFactoryFeatures)


def read_configuration(folder: Path | None) -> Configuration:
    """Both YAML files of a folder; a file that is not there leaves the defaults.

    Raises:
        ConfigurationError: the folder is missing, or a file has bad content.
    """
    if folder is None:
        return Configuration()
    if not folder.is_dir():
        raise ConfigurationError(
            f"{folder} is not a folder.", variable="FSP_CONFIG_DIR", fix="create it or correct the variable."
        )
    return Configuration(
        folder,
        _read(folder / SETTINGS_FILE, RouterFactorySettings),
        _read(folder / FEATURES_FILE, RouterFactoryFeatures),
    )


def check_capability_names(configuration: Configuration, present: list[str]) -> None:
    """Refuse configuration for capabilities that are not installed.

    Raises:
        ConfigurationError: it names the absent capability and lists the present ones.
    """
    features, overlays = configuration.features, configuration.features.overlays
    named: list[tuple[str, tuple[str, ...]]] = []
    named += [(FEATURES_FILE, ("capabilities", name)) for name in features.capabilities]
    named += [
        (FEATURES_FILE, ("overlays", overlay, "capabilities", name))
        for overlay, content in overlays.items()
        for name in content.capabilities
    ]
    named += [(SETTINGS_FILE, ("capabilities", name)) for name in configuration.settings.capabilities]
    for file, path in named:
        name = path[-1]
        if name in present:
            continue
        full = (configuration.folder or Path()) / file
        nearest = difflib.get_close_matches(name, present, n=1)
        hint = f"did you mean {nearest[0]}? " if nearest else ""
        raise ConfigurationError(
            f"no capability of this name is installed (present: {', '.join(sorted(present)) or 'none'}).",
            file=full,
            line=_line_of(full, path) if full.is_file() else None,
            key=".".join(path),
            fix=f"{hint}install its wheel or remove the key.",
        )


def _read(file: Path, model: type[Model]) -> Model:
    if not file.is_file():
        return model()
    import yaml

    try:
        text = file.read_text(encoding="utf-8")  # factory: allow Y03 -- read once, before anything is served
        content: object = yaml.safe_load(text)
    except UnicodeDecodeError:
        raise ConfigurationError("the file is not UTF-8.", file=file, fix="save it as UTF-8.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else None
        what = getattr(error, "problem", None) or "it cannot be read"
        raise ConfigurationError(f"not valid YAML: {what}.", file=file, line=line, fix="correct the line.") from None
    if content is None:
        return model()
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise _explain(error, file, model) from None


def _explain(error: ValidationError, file: Path, model: type[BaseModel]) -> ConfigurationError:
    first = error.errors(include_url=False)[0]
    path = tuple(str(part) for part in first["loc"] if part != "[key]")
    line, key = _line_of(file, path), ".".join(path)
    if first["type"] == "extra_forbidden":
        allowed = sorted(_keys_at(model, path[:-1]))
        nearest = difflib.get_close_matches(path[-1], allowed, n=1)
        fix = f"did you mean {nearest[0]}?" if nearest else "remove it."
        return ConfigurationError(
            f"unknown key (allowed: {', '.join(allowed)}).", file=file, line=line, key=key, fix=fix
        )
    expected = first.get("ctx", {}).get("expected")
    if expected is not None:
        value = first["input"]
        choices = [choice.strip("' ") for choice in str(expected).replace(" or ", ", ").split(",")]
        nearest = difflib.get_close_matches(str(value), choices, n=1)
        fix = f"did you mean {nearest[0]}?" if nearest else f"use one of {', '.join(choices)}."
        return ConfigurationError(
            f"{value!r} is not allowed (allowed: {', '.join(choices)}).", file=file, line=line, key=key, fix=fix
        )
    return ConfigurationError(
        f"{first['msg']} (found {first['input']!r}).", file=file, line=line, key=key, fix="correct the value."
    )


def _keys_at(model: type[BaseModel], path: tuple[str, ...]) -> set[str]:
    """The keys that a model allows below a path through nested models and dictionaries of models."""
    current: Any = model  # a model class or a typing construct; both are only inspected
    for part in path:
        current = _unwrap(current)
        if get_origin(current) is dict:
            current = get_args(current)[1]
        elif isinstance(current, type) and issubclass(current, BaseModel) and part in current.model_fields:
            current = current.model_fields[part].annotation
    current = _unwrap(current)
    return set(current.model_fields) if isinstance(current, type) and issubclass(current, BaseModel) else set()


def _unwrap(kind: Any) -> Any:  # Any: a typing construct goes in and comes out
    if get_origin(kind) in (Union, UnionType):
        return next(part for part in get_args(kind) if part is not type(None))
    return kind


def _line_of(file: Path, path: tuple[str, ...]) -> int | None:
    """The line of the key at ``path``, or of the deepest part of it that is there."""
    import yaml

    node = yaml.compose(
        file.read_text(encoding="utf-8")
    )  # factory: allow Y03 -- only for a message that ends the start
    line = node.start_mark.line + 1 if node is not None else None
    for part in path:
        if isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
            node = node.value[int(part)]
            line = node.start_mark.line + 1
            continue
        if not isinstance(node, yaml.MappingNode):
            break
        pair = next((pair for pair in node.value if pair[0].value == part), None)
        if pair is None:
            break
        line, node = pair[0].start_mark.line + 1, pair[1]
    return line
