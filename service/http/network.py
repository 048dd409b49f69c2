"""Where a request comes from, as far as limits are counted by."""

from ipaddress import IPv6Address, IPv6Network, ip_address

from starlette.types import Scope

_HOUSE_BITS = 64
"""Of an IPv6 address: what a provider gives a house. Within it anybody has as many addresses as they like."""


def network_of(scope: Scope) -> str:
    """The address of the network a request comes from; of IPv6 the house it stands in."""
    named = (scope.get("client") or ("unknown",))[0]
    try:
        address = ip_address(named)
    except ValueError:
        return str(named)
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), _HOUSE_BITS), strict=False))
