"""Who runs a server: two servers of one operator are one opinion."""

from functools import lru_cache

from rtcdiag.evidence import Binding
from rtcdiag.targets import UriError, parse_server


def operators(bindings: tuple[Binding, ...], relays: tuple[tuple[str, str], ...] = ()) -> dict[str, str]:
    """Return the operator of each server: its registered domain, or the IP address of a URI that has no name.

    ``relays`` are more servers, each with an IP address.

    Servers that share an IP address have one operator, whatever their names. It errs on the side of too few operators:
    country domains like ``co.uk`` are known only by their shape.
    """
    at = [(item.server, item.destination.host) for item in bindings] + [*relays]
    found = {server: _domain(server) for server, _ in at}
    by_address: dict[str, set[str]] = {}
    for server, host in at:
        by_address.setdefault(host, set()).add(server)
    for servers in by_address.values():
        same = {found[server] for server in servers}
        if len(same) > 1:
            _join(found, same)
    return found


def _join(found: dict[str, str], same: set[str]) -> None:
    one = min(same)
    for server, operator in found.items():
        if operator in same:
            found[server] = one


@lru_cache(maxsize=1024)
def _domain(uri: str) -> str:
    try:
        server = parse_server(uri)
    except UriError:
        return uri
    if server.ip_literal:
        return server.host
    labels = server.host.rstrip(".").split(".")
    is_second_level = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3 if is_second_level else -2 :])
