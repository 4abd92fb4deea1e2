"""``--list-contacts``: whom a command would contact, without contacting anyone and without importing what could."""

from collections.abc import Sequence

from rtcdiag.cli.options import Output
from rtcdiag.cli.streams import emit
from rtcdiag.contacts import (
    CONTROL_HOSTS,
    CONTROL_NAMES,
    GATEWAY,
    NAT64_NAME,
    STUN_SERVERS,
    WEB_CHECKS,
    Contact,
    WebContact,
    second_ports,
)

WITH_CONTROL = ("report", "nat-type", "connect")
"""The commands that ask the control hosts and the gateway too where the default list is used."""
_USES = {
    "nat-behavior": "STUN, with a second address (RFC 5780)",
    "binding": "STUN, Binding only",
    "second-port": "STUN, where it has no second address",
    "control": "TCP connect, nothing is sent",
    "nat64": "looked up only, without IPv4 or by NAT64",
    "web-check": "HTTP, only where no UDP is answered",
}
_CLOCK = "its time, where credentials are refused"
_RENDEZVOUS = "HTTP, the rendezvous named by you"
_KNOWN = "looked up only, where a name is denied"
_GATEWAY = "your default gateway"


def print_contacts(
    named: Sequence[str] | None,
    *,
    control: bool,
    look_up: bool,
    known_name: bool = False,
    gateway: bool,
    ports: bool,
    output: Output,
    proxy: tuple[str, str] | None = None,
    clocks: Sequence[str] = (),
    rendezvous: str | None = None,
) -> int:
    """Print one contact a line; ``named`` are URIs that the user gave, None where the default list is used.

    ``ports`` is whether second ports are asked too, where a server has no second address. ``look_up`` is whether a
    NAT64 may be asked for, by a name that nobody has to be asked about but name service, and ``known_name`` whether
    that is looked up beside names that are denied. ``proxy`` is the URL of the proxy that is used, and what names
    it. ``clocks`` are hosts that may be asked for the time. ``rendezvous`` is the URL at which two people meet.
    """
    rows = [(uri, "named by you", "") for uri in named or ()] if named is not None else _rows(STUN_SERVERS)
    named_now = [target for target, _, _ in rows]
    rows += [row for row in _rows(second_ports(named_now)) if row[0] not in named_now] if ports else []
    rows += [(rendezvous, _RENDEZVOUS, "")] if rendezvous else []
    rows += [(proxy[0], f"CONNECT, named by {proxy[1]}", "")] if proxy else []
    rows += _rows((*CONTROL_HOSTS, *WEB_CHECKS)) if control else []
    rows += [(f"https://{host}/", _CLOCK, "") for host in clocks]
    rows += _rows(CONTROL_NAMES) if look_up else []
    rows += [(NAT64_NAME, _KNOWN, "IANA")] if known_name else []
    rows += [(_GATEWAY, use, "") for use in GATEWAY] if gateway else []
    if output.as_json or output.format == "json":
        import json

        keys = ("target", "use", "operator")
        emit(json.dumps([dict(zip(keys, row, strict=True)) for row in rows], indent=2) + "\n", utf8=True)
        return 0
    emit("".join(f"{target:<49} {use:<38} {operator}".rstrip() + "\n" for target, use, operator in rows))
    return 0


def _rows(contacts: Sequence[Contact | WebContact]) -> list[tuple[str, str, str]]:
    return [(contact.target, _USES[contact.use], contact.operator) for contact in contacts]
