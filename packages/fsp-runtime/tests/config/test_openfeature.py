"""OpenFeature's own client gives what the platform's flags say."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.flag_evaluation import FlagEvaluationDetails

from fastapi_services_platform.config.feature_flags import FeatureFlags
from fastapi_services_platform.config.openfeature import PlatformFlagProvider

ABOUT = {"description": "A flag", "owner": "team"}
FLAGS = {
    "new-page": {**ABOUT, "rules": [{"value": True, "roles": ["tester"], "tenants": ["north"]}]},
    "colour": {**ABOUT, "type": "string", "default": "grey", "rules": [{"value": "gold", "subjects": ["urn:ada"]}]},
    "limit": {**ABOUT, "type": "number", "default": 3.0},
    "share": {**ABOUT, "type": "number", "default": 0.5},
}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[OpenFeatureClient]:
    (tmp_path / "feature_flags.json").write_text(json.dumps(FLAGS))
    flags = FeatureFlags(tmp_path / "feature_flags.json")
    flags.load()
    api.set_provider(PlatformFlagProvider(flags))
    yield api.get_client()
    api.clear_providers()


def said(found: FlagEvaluationDetails[object]) -> tuple[object, object, object, object]:
    return found.value, found.reason, found.variant, found.error_code


def test_values_come_with_reason_and_variant(client: OpenFeatureClient) -> None:
    """Rules see subject, tenant and roles of the evaluation context."""
    north = EvaluationContext("urn:eve", {"tenant": "north", "roles": ["tester"]})
    assert said(client.get_boolean_details("new-page", False, north)) == (True, "TARGETING_MATCH", "rule-1", None)
    assert said(client.get_string_details("colour", "", EvaluationContext("urn:ada")))[:2] == (
        "gold",
        "TARGETING_MATCH",
    )
    assert said(client.get_string_details("colour", "")) == ("grey", "DEFAULT", "default", None)
    assert said(client.get_float_details("share", 0.0)) == (0.5, "STATIC", "default", None)
    assert said(client.get_integer_details("limit", 0)) == (3, "STATIC", "default", None)


@pytest.mark.parametrize(
    ("kind", "flag", "default", "code"),
    [
        ("boolean", "none", False, "FLAG_NOT_FOUND"),
        ("boolean", "colour", False, "TYPE_MISMATCH"),
        ("integer", "share", 7, "TYPE_MISMATCH"),
        ("object", "colour", {}, "TYPE_MISMATCH"),
    ],
)
def test_what_does_not_fit_gives_the_default(
    client: OpenFeatureClient, kind: str, flag: str, default: object, code: str
) -> None:
    """An unknown flag and a flag of another type give the caller's default, with the code of the error."""
    found = getattr(client, f"get_{kind}_details")(flag, default)
    assert said(found)[::3] == (default, code)
