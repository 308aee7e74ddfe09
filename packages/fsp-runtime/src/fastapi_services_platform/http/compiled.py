"""Run simple typed endpoints directly: what FastAPI would do for them, without its exit stacks and its request objects.

Only a request that fits is answered here. Whatever does not (a parameter that is wrong or missing, a body that is no
JSON of the model) goes the usual way, with the body given again, so that every error is FastAPI's own.
"""

from typing import Any  # Any: what FastAPI and Starlette leave untyped
from urllib.parse import parse_qsl

import orjson
from fastapi.exceptions import ResponseValidationError
from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope

from fastapi_services_platform.http.exchange import Exchange
from fastapi_services_platform.http.fastapi_plans import EndpointPlan, ParameterPlan

_JSON_TYPE = (b"content-type", b"application/json")


class Misfit(Exception):
    """The request is not for the direct way; ``body`` is what was read of it so far."""

    def __init__(self, body: bytes | None = None) -> None:
        self.body = body


class CompiledEndpoint:
    """One endpoint with its plan."""

    __slots__ = ("_plan",)

    def __init__(self, plan: EndpointPlan) -> None:
        self._plan = plan

    async def arguments(
        self, scope: Scope, headers: dict[bytes, bytes], receive: Receive
    ) -> tuple[dict[str, Any], Request | None]:
        """The endpoint's arguments, dependencies aside.

        Raises:
            Misfit: FastAPI must look at the request.
        """
        plan = self._plan
        values: dict[str, Any] = {}
        if plan.path:
            _take(plan.path, scope["path_params"], values)
        if plan.query:
            query = scope.get("query_string", b"")
            _take(plan.query, dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else {}, values)
        if plan.validate_body is not None and plan.body_name is not None:
            body = await _read(receive)
            if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != b"application/json":
                raise Misfit(body)
            try:
                values[plan.body_name] = plan.validate_body(orjson.loads(body))
            except (ValidationError, orjson.JSONDecodeError):
                raise Misfit(body) from None
        request = Request(scope, receive) if plan.request_name is not None or plan.dependencies else None
        return values, request

    async def run(self, exchange: Exchange, values: dict[str, Any], request: Request | None, receive: Receive) -> None:
        """Call the endpoint and send its answer."""
        plan = self._plan
        for name, call, request_name in plan.dependencies:
            result = await (call(**{request_name: request}) if request_name is not None else call())
            if name is not None:
                values[name] = result
        if plan.request_name is not None:
            values[plan.request_name] = request
        result = await plan.call(**values)
        if isinstance(result, Response):
            await result(exchange.scope, receive, exchange.send)
            return
        if plan.dump is None:
            raise TypeError(f"{plan.call.__qualname__} declares a Response and returned {type(result).__name__}")
        try:
            body = plan.dump(result)
        except ValidationError as error:
            raise ResponseValidationError(error.errors(include_url=False), body=result) from error
        length = (b"content-length", str(len(body)).encode("ascii"))
        await exchange.send(
            {"type": "http.response.start", "status": plan.status or 200, "headers": [length, _JSON_TYPE]}
        )
        await exchange.send({"type": "http.response.body", "body": body})


class ReplayedBody:
    """``receive`` that gives again a body that was read whole."""

    __slots__ = ("_body", "_receive")

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def _take(parameters: tuple[ParameterPlan, ...], given: dict[str, Any], values: dict[str, Any]) -> None:
    for parameter in parameters:
        value = given.get(parameter.key)
        if value is not None:
            try:
                values[parameter.name] = parameter.validate(value)
            except ValidationError:
                raise Misfit from None
        elif parameter.required:
            raise Misfit
        else:
            values[parameter.name] = parameter.missing


async def _read(receive: Receive) -> bytes:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return body
    parts = [body]
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
    return b"".join(parts)
