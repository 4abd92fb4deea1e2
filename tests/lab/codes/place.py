"""The place where faults are made: real servers, scripted ones, and an internet of namespaces."""

import contextlib
import functools
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from support.ca import Authority, Certificate
from support.coturn import Coturn, coturn
from support.crashed import crashed_client
from support.fronts import haproxy, nginx
from support.netns import ALTERNATE, NAME_SERVER, OTHER_SERVER, SERVER, SERVER6, Client, Namespace, Topology
from support.nft import Nat
from support.ports import free_port
from support.process import RTCDIAG, running, stopped
from support.scripted import Close, Reply, Script, Scripted, scripted_tcp, scripted_udp
from support.turn_libraries import LibraryServer, pion, processone

NAMES = {
    "turn.example.org": [SERVER],
    "both.example.org": [SERVER],
    "six.example.org": [SERVER, SERVER6],
    "inner.example.org": ["10.0.0.5"],
    "blocked.example.org": ["0.0.0.0"],
    "clock.example.org": [ALTERNATE],
    "office.example.org": ["10.20.30.40"],
    "loop.example.org": ["127.0.0.1"],
}


class Lab:
    """Servers and networks, shared between rows."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.authority = Authority(directory)
        self._stack = contextlib.ExitStack()
        self._row = contextlib.ExitStack()
        self._ports = iter(range(3500, 9000, 10))
        self._relays = iter(range(20_000, 60_000, 50))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextlib.contextmanager
    def one_row(self) -> Iterator[Self]:
        """Start nothing; what a row alone has, such as a scripted server, ends with the block."""
        self.heard: list[Scripted] = []
        with contextlib.ExitStack() as self._row:
            yield self

    # --- servers here ---

    @functools.cache
    def coturn(self, *extra: str, **options: Any) -> Coturn:
        """Run coturn on loopback: UDP and TCP, and TLS with a certificate, if one is given."""
        return self._stack.enter_context(coturn(self.place(), extra=extra, **options))

    def place(self) -> Path:
        """Make a directory for one server."""
        return Path(tempfile.mkdtemp(dir=self.directory))

    @functools.cache
    def certificate(self, *names: str, **options: Any) -> Certificate:
        """Issue a certificate for `localhost`, or other names."""
        return self.authority.issue(*(names or ("localhost",)), **options)

    @property
    def tls(self) -> Coturn:
        """The healthy server, which most rows ask."""
        return self.coturn(certificate=self.certificate())

    @functools.cache
    def secret(self) -> Coturn:
        """Run coturn with use-auth-secret."""
        return self.coturn(secret="north", users=())

    @functools.cache
    def embedded(self) -> list[str]:
        """Run the embedded server, and return the URIs that it prints: STUN, TURN over UDP, TURN over TCP."""
        users, log = self.file("alice:wonderland\n"), self.directory / "embedded.log"
        command: list[str | Path] = [
            RTCDIAG,
            "serve",
            "stun",
            "--port",
            "0",
            "--turn-users",
            users,
            "--allow-loopback-peers",
        ]
        process = self._stack.enter_context(running(command, log=log))
        while len(log.read_text().splitlines()) < 3:
            assert process.poll() is None, log.read_text()
        return log.read_text().splitlines()

    @functools.cache
    def pion(self, certificate: Certificate | None = None, **flags: Any) -> LibraryServer:
        """Run a server on pion's library, with these flags (`deny_peers` for `-deny-peers`)."""
        named = {name.replace("_", "-"): value for name, value in flags.items()}
        secure = certificate or self.certificate()
        return self._stack.enter_context(pion(self.place(), certificate=secure, flags=named))

    @functools.cache
    def processone(self, *options: str) -> LibraryServer:
        """Run a server on processone's library, with these options of its own."""
        return self._stack.enter_context(processone(self.place(), certificate=self.certificate(), options=options))

    @functools.cache
    def haproxy(self, sections: str) -> int:
        """Run haproxy with these sections, in which PORT is its port, and return that."""
        port = free_port()
        text = sections.replace("PORT", str(port))
        self._stack.enter_context(haproxy(self.place(), text, host="127.0.0.1", port=port))
        return port

    @functools.cache
    def nginx(self, server: str) -> int:
        """Run nginx as a web server with these directives, in which PORT is its port, and return that."""
        port = free_port()
        self._stack.enter_context(nginx(self.place(), server.replace("PORT", str(port)), host="127.0.0.1", port=port))
        return port

    def crashed_client(self, server: Coturn | LibraryServer) -> int:
        """Leave an allocation of a client that died while the row runs, and return the client's port."""
        return self._row.enter_context(crashed_client(server.host, server.port))

    def stop(self, process: "subprocess.Popen[bytes]") -> None:
        """Make a server's process stand still while the row runs."""
        self._row.enter_context(stopped(process))

    def taken(self) -> int:
        """Return a UDP port that is taken while the row runs."""
        sock = self._row.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sock.bind(("", free_port()))
        return int(sock.getsockname()[1])

    @functools.cached_property
    def port(self) -> int:
        """A port that nobody uses."""
        return free_port()

    def udp(self, script: Script, **options: Any) -> Scripted:
        """Run a scripted server over UDP, for one row."""
        self.heard.append(self._row.enter_context(scripted_udp(script, **options)))
        return self.heard[-1]

    def tcp(self, script: Script, *greeting: Reply | Close, **options: Any) -> Scripted:
        """Run a scripted server over TCP, or TLS with a certificate, for one row."""
        return self._row.enter_context(scripted_tcp(script, greeting=greeting, **options))

    def file(self, text: str) -> str:
        """Write a file, and return its name."""
        with tempfile.NamedTemporaryFile("w", dir=self.directory, delete=False) as written:
            written.write(text)
        return written.name

    # --- servers in namespaces ---

    @functools.cached_property
    def net(self) -> Topology:
        """The internet of namespaces, with a name server."""
        net = self._stack.enter_context(Topology())
        net.internet.ip("address add 10.0.0.5/24 dev wide")
        net.serve_names(
            NAMES,
            f"--host-record=both.example.org,{OTHER_SERVER}",
            "--txt-record=text.example.org,nothing",
            "--server=/broken.example.org/127.0.0.9",
        )
        return net

    @functools.cache
    def client(self, nat: Nat = "masquerade", rules: str = "") -> Client:
        """Add a computer behind a router, with rules of a firewall of its own."""
        client = self.net.client(nat)
        if rules:
            client.nft(rules)
        return client

    @functools.cached_property
    def without_ipv6(self) -> Client:
        """A computer behind a router, with IPv4 only."""
        return self.net.client("masquerade", ipv6=False)

    @functools.cached_property
    def guarded(self) -> Client:
        """A computer behind a router whose firewall refuses UDP aloud, but for names."""
        router = self.net.router()
        rule = f"iifname lan meta l4proto udp ip daddr != {NAME_SERVER} reject"
        router.nft(f"table inet guard {{ chain rules1 {{ type filter hook forward priority -1; {rule}; }}; }}")
        return self.net.client(router)

    @functools.cached_property
    def alone(self) -> Namespace:
        """A computer that is connected to nothing."""
        return self.net.alone()

    @functools.cache
    def outside(self, *extra: str, rules: str = "", ports: int = 50, **options: Any) -> Coturn:
        """Run coturn on the internet of namespaces, on ports of its own.

        The rules of its firewall know them as PORT, RELAY and FIRST (of the relay ports), and hold once it answers.
        """
        port, relay = next(self._ports), next(self._relays)
        where: dict[str, Any] = {"listen": (SERVER,), "relay": (SERVER,), "prefix": self.net.internet.prefix}
        ranges = {"port": port, "tls_port": port + 2, "relay_ports": (relay, relay + ports - 1)}
        server = self._stack.enter_context(coturn(self.place(), extra=extra, **where | ranges | options))
        words = {"PORT": server.port, "RELAY": f"{relay}-{relay + ports - 1}", "FIRST": relay}
        if rules:
            self.net.internet.nft(
                functools.reduce(lambda text, word: text.replace(word, str(words[word])), words, rules)
            )
        return server

    @functools.cache
    def web_outside(self, host: str, certificate: Certificate, clock: tuple[str, ...] = ()) -> None:
        """Run nginx over TLS at an address on the internet of namespaces, with a clock of its own."""
        keys = f"ssl_certificate {certificate.chain_file}; ssl_certificate_key {certificate.key_file};"
        where: dict[str, Any] = {"host": host, "port": 443, "prefix": (*self.net.internet.prefix, *clock)}
        self._stack.enter_context(nginx(self.place(), f"listen {host}:443 ssl; {keys} return 200;", **where))

    @functools.cache
    def pion_outside(self, certificate: Certificate | None = None, **flags: Any) -> LibraryServer:
        """Run a server on pion's library on the internet of namespaces, with these flags."""
        port, relay, prefix = next(self._ports), next(self._relays), self.net.internet.prefix
        ranges: dict[str, Any] = {"min-port": relay, "max-port": relay + 49}
        flags = ranges | {name.replace("_", "-"): value for name, value in flags.items()}
        options: dict[str, Any] = {"port": port, "certificate": certificate, "flags": flags}
        return self._stack.enter_context(pion(self.place(), host=SERVER, prefix=prefix, **options))
