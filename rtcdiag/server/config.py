"""What the embedded server is told to do, checked before anything is bound."""

from ipaddress import ip_address
from pathlib import Path

import msgspec

from rtcdiag.address import Family, IPAddress, Scope, family_of, scope_of
from rtcdiag.targets import Credential

DEFAULT_LISTEN: tuple[IPAddress, ...] = (ip_address("127.0.0.1"), ip_address("127.0.0.2"))


class ConfigError(ValueError):
    """A configuration that the server refuses; the message is one line and holds no secret."""


class SharedSecret:
    """The secret of time-limited credentials (coturn's ``static-auth-secret``); it never prints."""

    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "SharedSecret(…)"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much of everything the server holds or does."""

    allocations: int = 100
    allocations_per_user: int = 20
    permissions: int = 64
    """For each allocation, as are channels."""
    channels: int = 64
    connections: int = 200
    connections_per_address: int = 50
    responses_per_s: float = 200
    """To one source address; twice as many in a burst."""
    sources: int = 4096
    """Source addresses whose rate is remembered."""
    idle_connection_s: float = 30
    """How long a TCP connection without an allocation may be silent."""


class ServerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The server's configuration; `check_config` says whether it may be served."""

    listen: tuple[IPAddress, ...] = DEFAULT_LISTEN
    """At most two addresses of a family; two make RFC 5780 possible. A second one that cannot be bound is left out."""
    port: int = 3478
    """0 lets the system choose."""
    alternate_port: int | None = None
    """None: the next port."""
    users: tuple[Credential, ...] = ()
    """Long-term credentials. Without any, and without a secret, TURN is off."""
    secret: SharedSecret | None = None
    realm: str = "rtcdiag"
    sha256: bool = False
    """Offer SHA-256 beside MD5 and SHA-1 (RFC 8489 section 9.2), as few servers do."""
    allow_loopback_peers: bool = False
    """Relay to loopback addresses, for tests and demonstrations on one computer."""
    default_lifetime_s: int = 600
    max_lifetime_s: int = 3600
    nonce_lifetime_s: int = 600
    limits: Limits = Limits()

    @property
    def serves_turn(self) -> bool:
        """Whether anybody could authenticate."""
        return bool(self.users) or self.secret is not None


def check_config(config: ServerConfig) -> None:
    """Raise ConfigError for what is refused: see each sentence."""
    if not config.listen:
        raise ConfigError("no address to listen on was given")
    for ip in config.listen:
        _check_address(config, ip)
    for family in Family:
        if sum(family_of(ip) is family for ip in config.listen) > 2:
            raise ConfigError(f"more than two {family} addresses to listen on were given")
    if len(set(config.listen)) < len(config.listen):
        raise ConfigError("an address to listen on was given twice")
    for port in (config.port, alternate_port(config)):
        if not 0 <= port <= 65535:
            raise ConfigError(f"port {port} is not between 0 and 65535 (the port and the alternate port)")
    if config.port and alternate_port(config) == config.port:
        raise ConfigError(f"the alternate port must not be the port, {config.port}")


def alternate_port(config: ServerConfig) -> int:
    """Return the second port of RFC 5780; 0 where the system is to choose."""
    if config.alternate_port is not None:
        return config.alternate_port
    return config.port + 1 if config.port else 0


def _check_address(config: ServerConfig, ip: IPAddress) -> None:
    scope = scope_of(ip)
    if scope in (Scope.UNSPECIFIED, Scope.MULTICAST):
        raise ConfigError(f"cannot listen on {ip}: name the address of an interface, because answers carry it")
    if scope is not Scope.LOOPBACK and not config.serves_turn:
        raise ConfigError(f"refusing to listen on {ip} without credentials: give --turn-users FILE, or use 127.0.0.1")


def read_users(path: Path) -> tuple[Credential, ...]:
    """Read ``user:password`` lines; blank lines and lines that start with # are skipped. Raise ConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text") from None
    return parse_users(text, str(path))


def parse_users(text: str, name: str) -> tuple[Credential, ...]:
    """Read the text of a users file; `name` is for the error, which never shows a line."""
    users: dict[str, Credential] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        username, _, password = line.partition(":")
        if not username or not password:
            raise ConfigError(f"line {number} of {name} is not user:password")
        if username in users:
            raise ConfigError(f"line {number} of {name} names a user for the second time")
        users[username] = Credential(username, password)
    if not users:
        raise ConfigError(f"{name} names no user (write user:password, one a line)")
    return tuple(users.values())
