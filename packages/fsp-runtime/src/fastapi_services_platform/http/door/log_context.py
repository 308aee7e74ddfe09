"""What every log event says about the request it was logged for."""

from collections.abc import Mapping

from fastapi_services_platform.http.exchange import current


def exchange_fields() -> Mapping[str, object] | None:
    """Correlation id, principal, capability and route template of the request; ``None`` outside of one."""
    exchange = current.get()
    if exchange is None:
        return None
    fields: dict[str, object] = {"correlation_id": exchange.correlation_id}
    entry, principal = exchange.entry, exchange.principal
    if entry is not None:
        fields["capability"] = entry.owner.name
        fields["route"] = entry.path
    if principal is not None:
        fields["principal"] = principal.urn
        fields["tenant"] = principal.tenant
    return fields
