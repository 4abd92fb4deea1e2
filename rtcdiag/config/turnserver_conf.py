"""coturn's ``turnserver.conf`` to the URIs that its clients would use, and one user of it."""

import re
from ipaddress import ip_address

from rtcdiag.config.errors import PlaceError
from rtcdiag.config.ice_servers import placed_server
from rtcdiag.config.targets import HealthTarget, Secret
from rtcdiag.targets import Credential, why_no_host

_SETTING = re.compile(r"(?P<option>[a-z0-9-]+)(?:[ \t]*[= \t][ \t]*(?P<value>.*))?", re.DOTALL)
_OFF = re.compile(r"0|no?|off|f(alse)?", re.IGNORECASE)
_HASHED = re.compile(r"0x[0-9A-Fa-f]{32,}|\$5\$.*", re.DOTALL)
_KNOWN = re.compile(
    r"^[ \t]*(listening-(port|ip)|tls-listening-port|external-ip|relay-ip|realm|user|static-auth-secret|use-auth-secret"
    r"|lt-cred-mech|no-auth|fingerprint|(min|max)-port|server-name|no-(udp|tcp|tls|dtls|cli|stun))[ \t]*(=|$)",
    re.MULTILINE,
)
_MOST_LINES = 10_000
_Settings = dict[str, list[tuple[int, str]]]
"""Each option's values, with their lines."""


def is_turnserver_conf(text: str) -> bool:
    """Tell by lines that every configuration of coturn has some of."""
    return _KNOWN.search(text) is not None


def read_turnserver_conf(text: str) -> list[HealthTarget]:
    """Return the ways to the server that the configuration describes; raise PlaceError where it names no address."""
    settings = _settings(text)
    hosts, secret = _hosts(settings), _secret(settings)
    credential = _user(settings) if secret is None else None
    line = next((values[0][0] for name in _ADDRESSES if (values := settings.get(name))), 1)
    found = []
    for uri in dict.fromkeys(uri for host in hosts for uri in _uris(host, settings)):
        where, server = placed_server(uri, f"line {line}", credential)
        found.append(HealthTarget(name=server.uri, server=server, secret=secret, where=where, line=line))
    if not found:
        raise PlaceError("$", "UDP, TCP and TLS are all turned off (no-udp, no-tcp, no-tls)")
    return found


_ADDRESSES = ("external-ip", "listening-ip", "relay-ip", "server-name", "realm")


def _settings(text: str) -> _Settings:
    found: _Settings = {}
    lines = text.splitlines()
    if len(lines) > _MOST_LINES:
        raise PlaceError("$", f"more than {_MOST_LINES} lines")
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        match = None if line.startswith("#") else _SETTING.fullmatch(line)
        if match is not None:
            value = (match["value"] or "").strip().strip('"')
            found.setdefault(match["option"], []).append((number, value))
    return found


def _last(settings: _Settings, option: str) -> str:
    return settings[option][-1][1] if option in settings else ""


def _is_on(settings: _Settings, option: str) -> bool:
    return option in settings and not _OFF.fullmatch(_last(settings, option))


def _hosts(settings: _Settings) -> list[str]:
    """Return where clients find the server: what it says to be outside, else where it listens, else its name."""
    for option in ("external-ip", "listening-ip", "relay-ip"):
        values = [value.partition("/")[0] for _, value in settings.get(option, [])]
        found = [value for value in values if _is_somewhere(value)]
        if found:
            return found
    name = _name(settings)
    if name is None:
        raise PlaceError(
            "$", "it says nowhere where the server is (external-ip, listening-ip, or a realm that is a name)"
        )
    return [name]


def _is_somewhere(text: str) -> bool:
    try:
        ip = ip_address(text)
    except ValueError:
        return False
    return not ip.is_unspecified


def _name(settings: _Settings) -> str | None:
    """Return the name that a certificate of this server would be for."""
    names = (_last(settings, option) for option in ("server-name", "realm"))
    return next((name for name in names if "." in name and why_no_host(name) is None), None)


def _uris(host: str, settings: _Settings) -> list[str]:
    """Return a URI for each transport; TLS is asked by name, for certificates have names."""
    shown = f"[{host}]" if ":" in host else host
    port = _port(settings, "listening-port", 3478)
    found = [
        *([f"turn:{shown}:{port}?transport=udp"] if not _is_on(settings, "no-udp") else []),
        *([f"turn:{shown}:{port}?transport=tcp"] if not _is_on(settings, "no-tcp") else []),
    ]
    if "cert" in settings and "pkey" in settings and not _is_on(settings, "no-tls"):
        tls = _port(settings, "tls-listening-port", 5349)
        found.append(f"turns:{_name(settings) or shown}:{tls}?transport=tcp")
    return found


def _port(settings: _Settings, option: str, default: int) -> int:
    for number, text in settings.get(option, [])[-1:]:
        if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
            raise PlaceError(f"line {number}", f"{option} is not a number from 1 to 65535")
        return int(text) or default
    return default


def _secret(settings: _Settings) -> Secret | None:
    value = _last(settings, "static-auth-secret")
    return Secret(value) if value and not _is_on(settings, "no-auth") else None


def _user(settings: _Settings) -> Credential | None:
    """Return the first user whose password is written out."""
    for _, value in settings.get("user", []):
        name, _, password = value.partition(":")
        if name and password and not _HASHED.fullmatch(password):
            return Credential(name, password)
    return None
