"""eturnal's ``eturnal.yml`` to the URIs that its clients would use, and one user of it."""

from typing import Any

from rtcdiag.config.errors import PlaceError, kind_of, login, mapping, string
from rtcdiag.config.ice_servers import placed_server
from rtcdiag.config.targets import HealthTarget, Secret
from rtcdiag.targets import Credential, why_no_host

_ANYWHERE = ("::", "0.0.0.0", "")  # noqa: S104 - what is compared with
_TRANSPORTS = {
    "udp": ("turn:{}?transport=udp",),
    "tcp": ("turn:{}?transport=tcp",),
    "tls": ("turns:{}?transport=tcp",),
    "auto": ("turn:{}?transport=tcp", "turns:{}?transport=tcp"),
}
"""``auto`` takes plain TCP and TLS on one port."""
_BY_DEFAULT = [{"port": 3478, "transport": "udp"}, {"port": 3478, "transport": "tcp"}]


def read_eturnal(tree: dict[str, Any]) -> list[HealthTarget]:
    """Return the ways to the server that the configuration describes; raise PlaceError."""
    options = mapping(tree["eturnal"], "$.eturnal", "the options of eturnal")
    secret = _secret(options)
    credential = _user(options) if secret is None else None
    found: list[HealthTarget] = []
    for path, listener in _listeners(options):
        for uri in _uris(path, listener, options):
            where, server = placed_server(uri, path, credential if listener.get("enable_turn", True) else None)
            found.append(HealthTarget(name=uri, server=server, secret=secret, where=where))
    return list({item.server.uri: item for item in found}.values())


def _listeners(options: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    value = options.get("listen", _BY_DEFAULT)
    if not isinstance(value, list) or not value:
        raise PlaceError("$.eturnal.listen", f"expected a list of listeners, found {kind_of(value)}")
    paths = (f"$.eturnal.listen[{index}]" for index in range(len(value)))
    return [(path, mapping(item, path, "a listener")) for path, item in zip(paths, value, strict=True)]


def _uris(path: str, listener: dict[str, Any], options: dict[str, Any]) -> list[str]:
    transport, port = listener.get("transport", "udp"), listener.get("port", 3478)
    if not isinstance(transport, str) or transport not in _TRANSPORTS:
        raise PlaceError(f"{path}.transport", f"expected one of {', '.join(_TRANSPORTS)}")
    if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65535:
        raise PlaceError(f"{path}.port", "expected a number from 1 to 65535")
    forms = _TRANSPORTS[transport]
    if not listener.get("enable_turn", True):
        forms = tuple(form.replace("turn", "stun").partition("?")[0] for form in forms if "transport=udp" in form)
    name = _name(options)
    hosts = _hosts(path, listener, options)
    return [
        form.format(f"{_shown(host)}:{port}")
        for form in forms
        for host in ([name] if name and form.startswith("turns") else hosts)
    ]


def _hosts(path: str, listener: dict[str, Any], options: dict[str, Any]) -> list[str]:
    """Return where clients find a listener: at its own address, or at those that are relayed from, or by name."""
    own = string(listener.get("ip", ""), f"{path}.ip")
    if own not in _ANYWHERE:
        return [own]
    keys = ("relay_ipv4_addr", "relay_ipv6_addr")
    told = [string(options[key], f"$.eturnal.{key}") for key in keys if options.get(key)]
    name = _name(options)
    if not told and name is None:
        raise PlaceError(
            "$.eturnal", "it says nowhere where the server is (relay_ipv4_addr, or a realm that is a name)"
        )
    return told or [str(name)]


def _name(options: dict[str, Any]) -> str | None:
    realm = options.get("realm")
    return realm if isinstance(realm, str) and "." in realm and why_no_host(realm) is None else None


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _secret(options: dict[str, Any]) -> Secret | None:
    value = options.get("secret")
    first = value[0] if isinstance(value, list) and value else value
    return Secret(login(first, "$.eturnal.secret")) if first else None


def _user(options: dict[str, Any]) -> Credential | None:
    users = mapping(options.get("credentials") or {}, "$.eturnal.credentials", "names and passwords")
    for name, password in users.items():
        return Credential(*(login(text, "$.eturnal.credentials") for text in (str(name), password)))
    return None
