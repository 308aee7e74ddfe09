"""Which addresses are public, and how the list of exceptions is read."""

import pytest

from fastapi_services_platform.errors import ConfigurationError
from fastapi_services_platform.http.outbound.policy import AddressRules, is_public

INSIDE = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1%eth0",
    "fec0::1",
    "ff02::1",
    "localhost",
    "",
]


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_not_of_the_open_internet_is_not_public(address: str) -> None:
    """Private, loopback, link-local, multicast, shared, documentation, translated, or no address at all."""
    assert is_public(address) is False


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450::1"])
def test_addresses_of_the_open_internet_are_public(address: str) -> None:
    """Both families."""
    assert is_public(address) is True


def test_exceptions_are_networks_addresses_and_names() -> None:
    """A name permits its addresses whatever they are; a network permits names that lead into it."""
    rules = AddressRules(("10.1.0.0/16", "127.0.0.1", "[::1]", "Ldap.Internal."))
    assert rules.permits("any.example", "10.1.2.3")
    assert rules.permits("localhost", "127.0.0.1")
    assert rules.permits("localhost", "::1")
    assert rules.permits("ldap.internal", "192.168.0.9")
    assert not rules.permits("any.example", "10.2.0.1")
    assert not rules.permits("evil-ldap.internal", "192.168.0.9")


@pytest.mark.parametrize("entry", ["", "10.0.0.0/40", "http://host", "host:80", "300.1.1.1"])
def test_an_exception_that_is_none_is_refused(entry: str) -> None:
    """The error shows both forms."""
    with pytest.raises(ConfigurationError, match=r"10\.1\.0\.0/16 or a host name"):
        AddressRules((entry,))
