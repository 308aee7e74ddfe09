"""Which host names are answered, and whose forwarded headers are believed."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from starlette.types import Scope

from fastapi_services_platform.config.settings import PlatformSettings
from fastapi_services_platform.errors import ConfigurationError

Network = IPv4Network | IPv6Network

PEER_KEY = "fsp.peer"
"""In the scope of a request that a trusted proxy sent: the proxy, where ``client`` is whoever it spoke for."""

_HOSTS_REMEMBERED = 1024
_HOST_CHARACTERS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]")


class Hosts:
    """Answers for the platform's own names only; the verdict on a header value is remembered."""

    def __init__(self, settings: PlatformSettings) -> None:
        public = urlsplit(settings.public_url).hostname or ""
        names = {name.lower() for name in settings.trusted_hosts}
        if names or settings.environment == "prod":
            names |= {public.lower(), "localhost", "127.0.0.1", "[::1]"}
        self._names = frozenset(names)
        self._known: dict[bytes, bool] = {}

    def accepts(self, header: bytes | None) -> bool:
        """Whether a request for this host is answered."""
        if header is None:
            return not self._names
        verdict = self._known.get(header)
        if verdict is None:
            verdict = self._judge(header)
            if len(self._known) < _HOSTS_REMEMBERED:
                self._known[header] = verdict
        return verdict

    def _judge(self, header: bytes) -> bool:
        if not header or len(header) > 255 or not _HOST_CHARACTERS.issuperset(header):
            return False
        host = header.decode("ascii").lower()
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        return not self._names or name in self._names


class Proxies:
    """Takes the client's address and scheme from forwarded headers when, and only when, a trusted proxy sent them."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = tuple(_network(text) for text in networks)
        self.any = bool(self._networks)

    def apply(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        """Correct ``client`` and ``scheme`` of the scope."""
        client = scope.get("client")
        if not self._networks or client is None or not self._trusts(client[0]):
            return
        scope[PEER_KEY] = client
        proto = headers.get(b"x-forwarded-proto")
        if proto in (b"http", b"https"):
            scope["scheme"] = proto.decode("ascii")
        forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1")
        for hop in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
            if not _is_address(hop):
                return
            scope["client"] = (hop, 0)
            if not self._trusts(hop):
                return

    def sent(self, scope: Scope) -> bool:
        """Whether the other end of the connection is a trusted proxy."""
        client = scope.get("client")
        return client is not None and self._trusts(client[0])

    def _trusts(self, host: str) -> bool:
        if not _is_address(host):
            return False
        address = ip_address(host)
        return any(address.version == network.version and address in network for network in self._networks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _network(text: str) -> Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise ConfigurationError(
            f"{text!r} is not a network in CIDR notation.",
            variable="FSP_TRUSTED_PROXIES",
            fix="write for example 10.0.0.0/8,127.0.0.1/32.",
        ) from None
