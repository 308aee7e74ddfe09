"""The platform's flags behind OpenFeature's SDK, for libraries that ask it: needs the extra ``openfeature``.

``openfeature.api.set_provider(PlatformFlagProvider(platform.flags))``. The platform itself evaluates without the SDK.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType
from openfeature.provider import AbstractProvider, Metadata

from fastapi_services_platform.config.feature_flags import FeatureFlags, FlagContext, FlagValue


class PlatformFlagProvider(AbstractProvider):
    """``targeting_key`` is the subject; the attributes ``tenant`` (text) and ``roles`` (a list) are the rest."""

    def __init__(self, flags: FeatureFlags) -> None:
        super().__init__()
        self._flags = flags

    def get_metadata(self) -> Metadata:
        """How the SDK names the provider."""
        return Metadata(name="fastapi-services-platform")

    def resolve_boolean_details(
        self, flag_key: str, default_value: bool, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[bool]:
        """A boolean flag."""
        return self._found(flag_key, default_value, evaluation_context)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        """A string flag."""
        return self._found(flag_key, default_value, evaluation_context)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """A number flag whose value is a whole number."""
        found = self._found(flag_key, default_value, evaluation_context)
        if float(found.value).is_integer():
            found.value = int(found.value)
            return found
        return FlagResolutionDetails(default_value, ErrorCode.TYPE_MISMATCH, "no whole number", "ERROR")

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        """A number flag."""
        return self._found(flag_key, default_value, evaluation_context)

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        """The platform has no flags of this kind."""
        return FlagResolutionDetails(default_value, ErrorCode.TYPE_MISMATCH, "flags are no objects here", "ERROR")

    def _found(self, name: str, default: FlagValue, context: EvaluationContext | None) -> FlagResolutionDetails[Any]:
        # Any: the flag's own type, which the evaluation has compared with the default's
        found = self._flags.evaluate(name, default, _asked(context))
        error = ErrorCode(found.error) if found.error else None
        return FlagResolutionDetails(found.value, error, found.error or None, found.reason, found.variant or None)


def _asked(context: EvaluationContext | None) -> FlagContext:
    if context is None:
        return FlagContext()
    roles = context.attributes.get("roles", ())
    tenant = context.attributes.get("tenant", "default")
    named = frozenset(map(str, roles)) if isinstance(roles, Sequence) and not isinstance(roles, str) else frozenset()
    return FlagContext(context.targeting_key or "", str(tenant), named)
