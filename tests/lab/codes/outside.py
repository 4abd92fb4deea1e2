"""A server on the internet of namespaces, its firewall, and a computer behind a router that asks it."""

from lab.codes.asking import QUICK, Asked, turn
from lab.codes.place import Lab
from support.netns import SERVER

PUBLIC, INNER, SECOND_INNER = "203.0.113.13", "10.0.0.5", "10.0.0.6"
"""Of a server that has a NAT of its own."""


def wall(name: str, rule: str, hook: str = "input") -> str:
    """A firewall; in one of a server, PORT is the server's port and RELAY its relay ports."""
    return f"table inet wall-{name} {{ chain rules1 {{ type filter hook {hook} priority 0; {rule}; }}; }}\n"


def outside(lab: Lab, *extra: str, host: str = SERVER, **options: object) -> str:
    """A TURN server on the internet, by its address or by a name."""
    return lab.outside(*extra, **options).uri(host=host)


def inside(lab: Lab, *uris: str, where: str = "masquerade", quick: bool = False) -> Asked:
    """Ask from a computer behind a router."""
    return turn(lab, *uris, where=lab.client(where), more=QUICK if quick else ())


def translated(lab: Lab, *inner: str) -> Asked:
    """Ask coturn behind a NAT of its own, which knows its public address."""
    lab.net.internet.ip(f"address replace {PUBLIC}/32 dev wide", f"address replace {SECOND_INNER}/24 dev wide")
    rules = f"""
table ip front {{
  chain in {{ type nat hook prerouting priority dstnat; ip daddr {PUBLIC} th dport {{ PORT, RELAY }} dnat to {INNER}; }}
  chain own {{ type nat hook output priority -100; ip daddr {PUBLIC} udp dport RELAY dnat to {INNER}; }}
  chain out {{ type nat hook postrouting priority srcnat; ip saddr {INNER} oifname wide snat to {PUBLIC}; }}
}}
"""
    server = lab.outside(f"external-ip={PUBLIC}/{INNER}", rules=rules, listen=inner, relay=(INNER,))
    return inside(lab, server.uri(host=PUBLIC))
