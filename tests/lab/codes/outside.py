"""A server on the internet of namespaces, its firewall, and a computer behind a router that asks it."""

from lab.codes.asking import QUICK, Asked, turn
from lab.codes.place import Lab
from support.netns import SERVER


def wall(name: str, rule: str, hook: str = "input") -> str:
    """A firewall; in one of a server, PORT is the server's port and RELAY its relay ports."""
    return f"table inet wall-{name} {{ chain rules1 {{ type filter hook {hook} priority 0; {rule}; }}; }}\n"


def outside(lab: Lab, *extra: str, host: str = SERVER, **options: object) -> str:
    """A TURN server on the internet, by its address or by a name."""
    return lab.outside(*extra, **options).uri(host=host)


def inside(lab: Lab, *uris: str, where: str = "masquerade", quick: bool = False) -> Asked:
    """Ask from a computer behind a router."""
    return turn(lab, *uris, where=lab.client(where), more=QUICK if quick else ())
