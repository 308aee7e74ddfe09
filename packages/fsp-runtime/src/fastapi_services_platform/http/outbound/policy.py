"""What a guarded client may call: schemes, ports, addresses, sizes and times.

The address decides, not the name: whatever spelling a host has (``0x7f.1``, ``2130706433``, a name with a record for
127.0.0.1), it is judged after resolution. Refused are all addresses that are not globally routable (RFC 6890) and all
IPv6 forms that carry an IPv4 address (mapped, compatible, 6to4, Teredo, NAT64), since another device unpacks those.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Literal

from fastapi_services_platform.errors import ConfigurationError, PlatformError

Reason = Literal["url", "scheme", "userinfo", "port", "address", "redirect", "size", "content-type", "content-encoding"]
"""What was wrong with an address or with an answer."""

_CARRIERS = tuple(
    ip_network(text)
    for text in (
        "::/96",  # IPv4-compatible, loopback, unspecified (RFC 4291 §2.5.5.1)
        "::ffff:0:0/96",  # IPv4-mapped (RFC 4291 §2.5.5.2)
        "::ffff:0:0:0/96",  # IPv4-translated (RFC 2765)
        "64:ff9b::/96",  # NAT64 (RFC 6052)
        "64:ff9b:1::/48",  # NAT64 of one's own (RFC 8215)
        "2001::/32",  # Teredo (RFC 4380)
        "2002::/16",  # 6to4 (RFC 3056)
    )
)
_NOT_ROUTED = tuple(
    ip_network(text)
    for text in (
        "100.64.0.0/10",  # shared by carriers (RFC 6598)
        "192.0.0.0/24",  # IETF protocol assignments (RFC 6890)
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
        "198.18.0.0/15",  # benchmarks (RFC 2544)
        "3fff::/20",  # documentation (RFC 9637)
        "5f00::/16",  # segment routing (RFC 9602)
        "fec0::/10",  # site-local (RFC 3879)
    )
)


class OutboundRefused(PlatformError):
    """The call was not made, or its answer not taken; ``reason`` says by which rule. Repeating it changes nothing."""

    def __init__(self, host: str, reason: Reason, problem: str, fix: str) -> None:
        self.host = host
        self.reason = reason
        super().__init__(f"{host or 'The address'}: {problem}.", fix)


class OutboundFailed(PlatformError):
    """There was no answer: no such name, no connection, no valid certificate, out of time, or the breaker is open."""

    def __init__(self, host: str, problem: str) -> None:
        self.host = host
        super().__init__(f"{host} gave no answer: {problem}.", "check the address, or try again later.")


@dataclass(frozen=True, slots=True)
class OutboundPolicy:
    """The limits of one guarded client.

    ``allow`` holds networks (``10.1.0.0/16``, ``127.0.0.1``) and host names whose addresses and ports are not judged;
    the scheme always is. ``redirects`` is how many hops are followed, each judged anew, and only for GET and HEAD.
    """

    schemes: tuple[str, ...] = ("https",)
    ports: tuple[int, ...] = (80, 443)
    allow: tuple[str, ...] = ()
    redirects: int = 0
    json_only: bool = False
    max_bytes: int = 64 * 1024
    total_seconds: float = 3.0
    connections: int = 20


class AddressRules:
    """A policy's ``allow``, read once.

    Raises:
        ConfigurationError: an entry looks like a network and is none.
    """

    def __init__(self, allow: Iterable[str]) -> None:
        self._networks: list[IPv4Network | IPv6Network] = []
        self._names: set[str] = set()
        for entry in allow:
            self._take(entry.strip())

    def _take(self, entry: str) -> None:
        try:
            self._networks.append(ip_network(entry.strip("[]"), strict=False))
        except ValueError:
            if not entry or "/" in entry or ":" in entry or entry.replace(".", "").isdigit():
                fix = "write a network as 10.1.0.0/16 or a host name without scheme and port."
                raise ConfigurationError(f"{entry!r} is neither a network nor a host name.", fix=fix) from None
            self._names.add(entry.lower().rstrip("."))

    def is_named(self, host: str) -> bool:
        """Whether the host name itself is on the list."""
        return host.lower().rstrip(".") in self._names

    def is_listed(self, address: str) -> bool:
        """Whether the address is in a network of the list."""
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)

    def permits(self, host: str, address: str) -> bool:
        """Whether a connection for ``host`` may be made to ``address``."""
        return self.is_named(host) or self.is_listed(address) or is_public(address)


def is_public(address: str) -> bool:
    """Whether an address is one of the open internet, in a form that no gateway translates into another."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address) and (parsed.scope_id is not None or _is_in(parsed, _CARRIERS)):
        return False
    special = parsed.is_multicast or parsed.is_reserved or parsed.is_unspecified or parsed.is_loopback
    return parsed.is_global and not special and not parsed.is_link_local and not _is_in(parsed, _NOT_ROUTED)


def _is_in(address: IPv4Address | IPv6Address, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    return any(address in network for network in networks)
