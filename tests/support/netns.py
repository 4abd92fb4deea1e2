"""A small internet of network namespaces, with clients behind kernel NATs; Linux and root only.

    with Topology() as net:
        client = net.client("masquerade")
        with coturn(tmp_path, listen=SERVERS[:2], relay=SERVERS[:1], prefix=net.internet.prefix):
            result = client.run(["rtcdiag", "nat-type", "--server", f"stun:{SERVER}"], timeout=20)

Addresses are of the documentation ranges, which `rtcdiag.address` counts as global. The internet has all of `SERVERS`
and `SERVERS6`, so a server there binds any of them. Nothing gets from it to anywhere else: what its own servers send
there vanishes, as on a server with a default route, and what it is asked to pass on there is unreachable.
"""

import contextlib
import dataclasses
import ipaddress
import itertools
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from support.nft import Nat, ruleset
from support.process import run, running

SERVER, ALTERNATE = "203.0.113.10", "203.0.113.11"
OTHER_SERVER, OTHER_ALTERNATE = "198.51.100.10", "198.51.100.11"
SERVERS = (SERVER, ALTERNATE, OTHER_SERVER, OTHER_ALTERNATE)
SERVER6, ALTERNATE6 = "2001:db8::10", "2001:db8::11"
SERVERS6 = (SERVER6, ALTERNATE6)
NAME_SERVER = "203.0.113.53"
PUBLIC = "25.0.0"
"""A network of ordinary public addresses, used in namespaces without a way out."""

_PREFIX = "rtcdiag-test-"
_BRIDGE = "02:00:00:00:00:01"
"""Without one of its own, a bridge takes another address with a new port, and its neighbors lose it for a while."""
_numbers = itertools.count(1)
_NETNS = Path("/run/netns")
_ETC = Path("/etc/netns")
# An IPv6 address is "tentative" for a moment even so: nodad below lets it be used at once.
_QUIET = "echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad; echo 0 >/proc/sys/net/ipv6/conf/all/accept_dad"
# Without a route to a peer's private address, sending there fails at once, and coturn ends the whole allocation.
_NOWHERE = (
    "link add nowhere type veth peer name void",
    "link set nowhere arp off up",
    "link set void up",
    "route add default dev nowhere table 100",
    "rule add iif lo lookup 100 priority 40000",
)
_FORWARD = "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding"


def _do(command: Sequence[str], stdin: str = "") -> str:
    done = run(command, stdin=stdin, timeout=20)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}\n{stdin}")
    return done.stdout


@dataclasses.dataclass(frozen=True)
class Namespace:
    """A network namespace; `prefix` before a command runs it inside."""

    name: str

    @property
    def prefix(self) -> tuple[str, ...]:
        """Return `ip netns exec NAME`."""
        return ("ip", "netns", "exec", self.name)

    def run(
        self,
        command: Sequence[str | Path],
        *,
        timeout: float = 30.0,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside for a bounded time; see `support.process.run`."""
        return run([*self.prefix, *command], timeout=timeout, env=env, stdin=stdin)

    def running(
        self, command: Sequence[str | Path], *, log: Path, env: Mapping[str, str] | None = None
    ) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
        """Run a command inside in the background; see `support.process.running`."""
        return running([*self.prefix, *command], log=log, env=env)

    def ip(self, *lines: str) -> None:
        """Carry out lines of `ip` inside."""
        _do(["ip", "-n", self.name, "-batch", "-"], "\n".join(lines) + "\n")

    def nft(self, rules: str) -> None:
        """Load lines of `nft` inside."""
        _do([*self.prefix, "nft", "-f", "-"], rules)

    def resolve_by(self, server: str) -> None:
        """Ask this name server from now on."""
        (_ETC / self.name / "resolv.conf").write_text(f"nameserver {server}\n")


@dataclasses.dataclass(frozen=True)
class Router(Namespace):
    """A router with one `wan` and one `lan` interface, and a number that its addresses are made of."""

    nat: Nat
    number: int
    lan_prefix: str = "192.168"
    """The first half of the addresses on its LAN, where it translates: `100.64` for a carrier's."""
    behind: "Router | None" = None
    """The router that it is a client of; None: it is on the internet."""
    wan_prefix: str = "203.0.113"
    """The network of its address on the internet. miniupnpd takes none of a documentation range for a public one."""

    @property
    def wan(self) -> str:
        """Return its address outside: on the internet, or on the LAN of the router that it is behind."""
        return (
            f"{self.wan_prefix}.{100 + self.number}" if self.behind is None else str(self.behind.lan[100 + self.number])
        )

    @property
    def mapped(self) -> str:
        """Return the address that the internet sees of its clients, where it translates."""
        return self.wan if self.behind is None else self.behind.mapped

    @property
    def wan6(self) -> str:
        """Return its IPv6 address on the internet."""
        return f"2001:db8::{100 + self.number}"

    @property
    def translates(self) -> bool:
        """Return whether its clients share its address."""
        return self.nat not in {"firewall", "no-nat"}

    @property
    def lan(self) -> ipaddress.IPv4Network:
        """Return the addresses on its LAN, private where it translates; 1 is the router."""
        if self.translates:
            return ipaddress.IPv4Network(f"{self.lan_prefix}.{self.number}.0/24")
        return ipaddress.IPv4Network(f"192.0.2.{16 * self.number}/28")

    @property
    def lan6(self) -> ipaddress.IPv6Network:
        """Return the IPv6 addresses on its LAN; 1 is the router."""
        return ipaddress.IPv6Network(f"2001:db8:{self.number:x}::/64")


@dataclasses.dataclass(frozen=True)
class Client(Namespace):
    """A computer with its addresses, and the address that the internet sees."""

    address: str
    address6: str
    mapped: str


def _sweep() -> None:
    """Remove what a test process left that died before it could."""
    for path in _NETNS.glob(f"{_PREFIX}*") if _NETNS.exists() else ():
        owner = re.match(rf"{_PREFIX}(\d+)-", path.name)
        if owner and not Path(f"/proc/{owner[1]}").exists():
            _remove(path.name)


def _remove(name: str) -> None:
    """End what still runs in a namespace of ours, and remove it."""
    pids = run(["ip", "netns", "pids", name], timeout=10).stdout.split()
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
    run(["ip", "netns", "delete", name], timeout=10)
    shutil.rmtree(_ETC / name, ignore_errors=True)


class Topology:
    """Namespaces that exist while the block runs, also when it fails."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._links = 0
        self._clients: dict[int, int] = {}
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        _sweep()
        try:
            self.internet = Namespace(self._namespace("internet"))
            self._build_internet()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        for name in reversed(self._names):
            _remove(name)

    def _namespace(self, role: str) -> str:
        name = f"{_PREFIX}{os.getpid()}-{next(_numbers)}-{role}"
        self._names.append(name)
        _do(["ip", "netns", "add", name])
        _do(["ip", "netns", "exec", name, "sh", "-euc", _QUIET])
        Namespace(name).ip("link set lo up")
        etc = _ETC / name
        etc.mkdir(parents=True, exist_ok=True)
        (etc / "resolv.conf").write_text(f"nameserver {NAME_SERVER}\n")
        (etc / "nsswitch.conf").write_text("hosts: files dns\n")
        return name

    def _build_internet(self) -> None:
        self.internet.ip(
            f"link add wide address {_BRIDGE} type bridge",
            "link set wide up",
            "address add 203.0.113.1/24 dev wide",
            f"address add {PUBLIC}.1/24 dev wide",
            "address add 2001:db8::1/64 dev wide nodad",
            f"address add {NAME_SERVER}/32 dev wide",
            *(f"address add {address}/32 dev wide" for address in SERVERS),
            *(f"address add {address}/128 dev wide nodad" for address in SERVERS6),
            *_NOWHERE,
        )
        _do([*self.internet.prefix, "sh", "-euc", _FORWARD])

    def _link(self, inner: Namespace, inner_name: str, outer: Namespace, bridge: str) -> None:
        """Lay a cable from a new interface inside to a bridge."""
        self._links += 1
        outer.ip(
            f"link add port{self._links} type veth peer name {inner_name} netns {inner.name}",
            f"link set port{self._links} master {bridge} up",
        )

    def router(
        self,
        nat: Nat = "masquerade",
        *,
        lan: str = "192.168",
        behind: Router | None = None,
        wan: str = "203.0.113",
    ) -> Router:
        """Add a router at `router.wan`: on the internet, or behind another one, and then without IPv6 outside."""
        number = sum("-router" in name for name in self._names) + 1
        router = Router(self._namespace("router"), nat, number, lan, behind, wan)
        outside, bridge, gateway = (self.internet, "wide", f"{wan}.1")
        if behind is not None:
            outside, bridge, gateway = (behind, "lan", str(behind.lan[1]))
        self._link(router, "wan", outside, bridge)
        router.ip(
            "link set wan up",
            f"address add {router.wan}/24 dev wan",
            f"route add default via {gateway}",
            *(
                [f"address add {router.wan6}/64 dev wan nodad", "route add default via 2001:db8::1"]
                if not behind
                else []
            ),
            f"link add lan address {_BRIDGE} type bridge",
            "link set lan up",
            f"address add {router.lan[1]}/{router.lan.prefixlen} dev lan",
            f"address add {router.lan6[1]}/64 dev lan nodad",
        )
        if behind is None:
            self.internet.ip(f"route add {router.lan6} via {router.wan6}")
        if not router.translates:
            self.internet.ip(f"route add {router.lan} via {router.wan}")
        _do([*router.prefix, "sh", "-euc", _FORWARD])
        router.nft(ruleset(nat, str(router.lan[2]), NAME_SERVER))
        return router

    def client(self, nat: Nat | Router = "masquerade", *, ipv6: bool = True) -> Client:
        """Add a computer behind a router, a new one unless given. Only the first is let into by `full-cone`."""
        router = nat if isinstance(nat, Router) else self.router(nat)
        number = self._clients[router.number] = self._clients.get(router.number, 1) + 1
        address, address6 = str(router.lan[number]), str(router.lan6[number]) if ipv6 else ""
        mapped = router.mapped if router.translates else address
        client = Client(self._namespace("client"), address, address6, mapped)
        self._link(client, "eth0", router, "lan")
        client.ip(
            "link set eth0 up",
            f"address add {address}/{router.lan.prefixlen} dev eth0",
            f"route add default via {router.lan[1]}",
        )
        if ipv6:
            client.ip(f"address add {address6}/64 dev eth0 nodad", f"route add default via {router.lan6[1]}")
        return client

    def connect(self, client: Client, interface: str, router: Router) -> None:
        """Give a computer a second way out, with a default route that the system prefers less."""
        self._link(client, interface, router, "lan")
        client.ip(
            f"link set {interface} up",
            f"address add {router.lan[9]}/{router.lan.prefixlen} dev {interface}",
            f"route add default via {router.lan[1]} metric 500",
        )

    def alone(self) -> Namespace:
        """Add a computer that is connected to nothing."""
        return Namespace(self._namespace("alone"))

    def serve_names(self, records: Mapping[str, Sequence[str]], *extra: str) -> None:
        """Run a name server, which every namespace asks, with these addresses for names; other names do not exist.

        Without it, questions are refused at once (ICMP). `extra` is more options of dnsmasq.
        """
        all_records = {"ready.test": [NAME_SERVER], **records}
        names = [f"--host-record={','.join([name, *addresses])}" for name, addresses in all_records.items()]
        command = [
            "dnsmasq",
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--no-resolv",
            "--no-hosts",
            "--pid-file",
        ]
        where = [f"--listen-address={NAME_SERVER}", "--bind-interfaces", "--user=root", "--address=/#/"]
        log = Path(self._stack.enter_context(tempfile.TemporaryDirectory())) / "dnsmasq.log"
        self._stack.enter_context(self.internet.running([*command, *where, *names, *extra], log=log))
        self._wait_for_names(log)

    def _wait_for_names(self, log: Path) -> None:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if self.internet.run(["getent", "ahosts", "ready.test"], timeout=10).returncode == 0:
                return
        raise RuntimeError(f"dnsmasq does not answer: {log.read_text()}")
