"""Private touch points with FastAPI's dependants: which endpoints are simple enough to be called directly, and how.

Simple is: a coroutine with scalars of path and query, at most one JSON body, the request itself, and dependencies
that take
nothing but the request. Everything else is FastAPI's to run. The contract test of the seams pins what is used here.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin  # Any: what FastAPI and Starlette leave untyped
from uuid import UUID

from fastapi import params
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies import utils as dependency_utils
from fastapi.dependencies.utils import get_typed_return_annotation
from starlette.responses import Response

_SCALARS = (str, int, float, bool, UUID)

Dependency = tuple[str | None, Callable[..., Any], str | None]
"""Under which name the endpoint takes the result, the coroutine, and under which name it takes the request."""


@dataclass(frozen=True, slots=True)
class ParameterPlan:
    """A scalar of the path or the query. ``validate`` gives the value or a pydantic error; ``missing`` what stands
    in.
    """

    name: str
    key: str
    validate: Callable[[object], object]
    required: bool
    missing: object


@dataclass(frozen=True, slots=True)
class EndpointPlan:
    """What FastAPI would do for an endpoint that is simple enough to be called directly."""

    call: Callable[..., Any]  # Any: the endpoint's own parameters
    path: tuple[ParameterPlan, ...]
    query: tuple[ParameterPlan, ...]
    dependencies: tuple[Dependency, ...]
    request_name: str | None
    body_name: str | None
    validate_body: Callable[[object], object] | None
    status: int | None
    dump: Callable[[object], bytes] | None


def plan_of(route: Any) -> EndpointPlan | None:  # Any: an APIRoute or FastAPI's effective context, which share these
    """The plan of an endpoint, or ``None`` when FastAPI itself must run it."""
    dependant = route.dependant
    if not _takes_only_values(dependant) or not _answers_simply(route):
        return None
    path = [_parameter(field) for field in dependant.path_params]
    query = [_parameter(field) for field in dependant.query_params]
    dependencies = [_dependency(item) for item in dependant.dependencies]
    calls = {id(item.call) for item in dependant.dependencies}
    if None in path or None in query or None in dependencies or len(calls) < len(dependencies):
        return None
    body = dependant.body_params[0] if dependant.body_params else None
    if body is not None and not _is_one_json_body(route, body):
        return None
    return EndpointPlan(
        call=dependant.call,
        path=tuple(item for item in path if item is not None),
        query=tuple(item for item in query if item is not None),
        dependencies=tuple(item for item in dependencies if item is not None),
        request_name=dependant.request_param_name,
        body_name=body.name if body is not None else None,
        validate_body=_validator(body) if body is not None else None,
        status=route.status_code,
        dump=_dumper(route) if route.response_field is not None else None,
    )


def _takes_only_values(dependant: Any) -> bool:  # Any: fastapi.dependencies.models.Dependant, not exported
    others = (
        dependant.header_params,
        dependant.cookie_params,
        dependant.websocket_param_name,
        dependant.http_connection_param_name,
        dependant.response_param_name,
        dependant.background_tasks_param_name,
        dependant.security_scopes_param_name,
        dependant.concurrency,
    )
    return not any(others) and inspect.iscoroutinefunction(dependant.call)


def _answers_simply(route: Any) -> bool:  # Any: as above
    if not isinstance(route.response_class, DefaultPlaceholder) or route.is_sse_stream or route.is_json_stream:
        return False
    if route.response_field is not None:
        return True
    returned = get_typed_return_annotation(route.endpoint)
    return isinstance(returned, type) and issubclass(returned, Response)


def _parameter(field: Any) -> ParameterPlan | None:  # Any: fastapi's ModelField
    info = field.field_info
    if not isinstance(info, params.Path | params.Query) or not _is_scalar(info.annotation):
        return None
    aliases = dependency_utils._get_param_aliases(field)
    plain_default = info.is_required() or (info.default_factory is None and not info.validate_default)
    if len(aliases) != 1 or dependency_utils._is_json_field(field) or not plain_default:
        return None
    if not info.is_required() and not isinstance(field.default, NoneType | str | int | float | bool):
        return None
    missing = None if info.is_required() else field.default
    return ParameterPlan(field.name, aliases[0][1], _validator(field), info.is_required(), missing)


def _is_scalar(annotation: object) -> bool:
    if get_origin(annotation) in (Union, UnionType):
        return all(part is NoneType or part in _SCALARS for part in get_args(annotation))
    return annotation in _SCALARS


def _dependency(item: Any) -> Dependency | None:  # Any: Dependant
    inner = (item.path_params, item.query_params, item.body_params, item.dependencies, item.own_oauth_scopes)
    if any(inner) or not _takes_only_values(item):
        return None
    return (item.name, item.call, item.request_param_name)


def _is_one_json_body(route: Any, field: Any) -> bool:  # Any: as above
    info = field.field_info
    return (
        len(route.dependant.body_params) == 1
        and not route._embed_body_fields
        and isinstance(info, params.Body)
        and not isinstance(info, params.Form | params.File)
        and info.is_required()
        and route.strict_content_type is not False
    )


def _validator(field: Any) -> Callable[[object], object]:  # Any: ModelField
    validate: Callable[[object], object] = partial(field._type_adapter.validate_python, from_attributes=True)
    return validate


def _dumper(route: Any) -> Callable[[object], bytes]:  # Any: as above
    adapter = route.response_field._type_adapter
    dump = partial(
        adapter.dump_json,
        include=route.response_model_include,
        exclude=route.response_model_exclude,
        by_alias=route.response_model_by_alias,
        exclude_unset=route.response_model_exclude_unset,
        exclude_defaults=route.response_model_exclude_defaults,
        exclude_none=route.response_model_exclude_none,
    )

    def checked(value: object) -> bytes:
        encoded: bytes = dump(adapter.validate_python(value, from_attributes=True))
        return encoded

    return checked
