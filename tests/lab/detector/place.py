"""An internet with everything that the default lists name, and networks that let little of it through."""

import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self

from rtcdiag.contacts import CONTROL_HOSTS, STUN_SERVERS, WEB_CHECKS
from support import portal
from support.coturn import coturn
from support.netns import NAME_SERVER, SERVER, SERVERS, Client, Namespace, Router, Topology
from support.nft import Nat
from support.process import RTCDIAG

CONTROL, WEB = "203.0.113.80", "203.0.113.81"
PORTAL_PORT = 8080
QUICK = ("--timeout", "1")
ONE = ("--server", "stun:stun.example.org")
ONE_ADDRESS = ("--server", f"stun:{SERVER}")
ASKED = {"the default list": (), "one name": ONE, "one address": ONE_ADDRESS}
NO_UDP = f"meta l4proto udp ip daddr != {NAME_SERVER} drop"
PLAIN = {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "80"}
NAMES = (
    {contact.target.split(":")[1]: [SERVERS[number % 4]] for number, contact in enumerate(STUN_SERVERS)}
    | {contact.target.rpartition(":")[0]: [CONTROL] for contact in CONTROL_HOSTS if contact.target[0].isalpha()}
    | {contact.host: [WEB] for contact in WEB_CHECKS}
    | {"stun.example.org": [SERVER]}
)
GOOGLE = """table ip google {
  chain pre { type nat hook prerouting priority dstnat; udp dport 19302 redirect to :3478; }
}
"""
"""One of the default servers listens on a port of its own."""
# Nothing passes but name resolution; the web is led to the router itself.
CLOSED = """
table ip portal {
  chain pre { type nat hook prerouting priority dstnat - 1; iifname lan tcp dport 80 dnat to PAGE; }
  chain passing { type filter hook forward priority filter - 1; PASSING ip daddr != 203.0.113.53 iifname lan drop; }
}
table ip6 portal { chain passing { type filter hook forward priority filter - 1; drop; }; }
"""


Answer = Literal["no such name", "refused", "server failure", "nobody is asked"]


class Told(dict[str, Any]):
    """A report, with its exit code and its time beside it."""

    code: int
    took_s: float

    def codes(self, *severities: str) -> set[str]:
        """Return the codes of its findings, or of those of some severities."""
        return {item["code"] for item in self["findings"] if not severities or item["severity"] in severities}

    def evidence(self, kind: str) -> list[dict[str, Any]]:
        """Return the evidence of one kind."""
        return [item for item in self["evidence"] if item["kind"] == kind]


class Place(Topology):
    """The internet, with the servers of the default lists at their names."""

    def __enter__(self) -> Self:
        super().__enter__()
        # 1.1.1.1 and WEB exist in this namespace only.
        self.internet.ip(*(f"address add {address}/32 dev wide" for address in (CONTROL, WEB, "1.1.1.1")))
        return self

    def serve(self, *, names: bool = True, stun: bool = True) -> None:
        """Start them all, or leave some out."""
        directory = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        if stun:
            self._stack.enter_context(coturn(directory, listen=SERVERS, relay=[SERVER], prefix=self.internet.prefix))
            self.internet.nft(GOOGLE)
        if names:
            self.serve_names(NAMES)
        for address, port in ((CONTROL, 443), ("1.1.1.1", 443), (WEB, 80)):
            self.answer(self.internet, address, port, "honest")

    def answer(self, where: Namespace, address: str, port: int, mode: str) -> None:
        """Run a web server for as long as this place exists."""
        log = Path(tempfile.mkstemp(dir=self._stack.enter_context(tempfile.TemporaryDirectory()))[1])
        command = [sys.executable, "-S", portal.__file__, address, str(port), mode]
        self._stack.enter_context(where.running(command, log=log))
        end = time.monotonic() + 10
        while "ready" not in log.read_text():
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.01)

    def behind_a_portal(self, mode: str, *, passing: str = "") -> Client:
        """Add a computer whose web is led to a sign-in page; ``passing`` are rules for what passes all the same."""
        router = self.router()
        page = f"{router.lan[1]}:{PORTAL_PORT}"
        router.nft(CLOSED.replace("PAGE", page).replace("PASSING", passing))
        self.answer(router, str(router.lan[1]), PORTAL_PORT, mode)
        return self.client(router, ipv6=False)

    def behind_made_up_names(self, mode: str | None) -> Client:
        """Add a computer whose name server leads every name to the router, where a page is, or none."""
        router = self.router()
        here = str(router.lan[1])
        router.nft(wall("drop"))
        if mode is not None:
            self.answer(router, here, 80, mode)
        self._resolver(router, f"--address=/#/{here}")
        return self._asking(self.client(router, ipv6=False), here)

    def with_resolver(self, answer: Answer) -> Client:
        """Add a computer on a network that works, but for its name server."""
        router = self.router()
        match answer:
            case "no such name":
                self._resolver(router, "--address=/#/")
            case "refused":
                self._resolver(router)
            case "server failure":
                self._resolver(router, "--server=127.0.0.9")
            case "nobody is asked":
                pass
        return self._asking(self.client(router, ipv6=False), "" if answer == "nobody is asked" else str(router.lan[1]))

    def _resolver(self, router: Router, *options: str) -> None:
        log = Path(self._stack.enter_context(tempfile.TemporaryDirectory())) / "dnsmasq.log"
        plain = ("--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file")
        where = (f"--listen-address={router.lan[1]}", "--bind-interfaces", "--user=root", "--log-facility=-")
        self._stack.enter_context(router.running(["dnsmasq", *plain, *where, *options], log=log))
        end = time.monotonic() + 10
        while "started" not in log.read_text():
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.01)

    @staticmethod
    def _asking(client: Client, name_server: str) -> Client:
        text = f"nameserver {name_server}\n" if name_server else ""
        Path("/etc/netns", client.name, "resolv.conf").write_text(text)
        return client

    def behind(self, nat: Nat = "masquerade", rules: str = "", *, own: str = "") -> Client:
        """Add a computer behind a router with these rules beside its own, and ``own`` of the computer itself."""
        router = self.router(nat)
        if rules:
            router.nft(rules)
        client = self.client(router, ipv6=False)
        if own:
            client.nft(own)
        return client


@contextlib.contextmanager
def place(**without: bool) -> Iterator[Place]:
    """Make the internet with all its servers, or without some."""
    with Place() as net:
        net.serve(**without)
        yield net


def wall(*rules: str, hook: str = "forward") -> str:
    """Return a firewall whose rules come before any other; in a router they are about what comes from inside."""
    inside = "iifname lan " if hook == "forward" else ""
    lines = "; ".join(inside + rule for rule in rules)
    return f"table inet wall {{ chain only {{ type filter hook {hook} priority filter - 5; {lines}; }}; }}\n"


def ask(host: Namespace, *options: str, command: str = "nat-type", env: dict[str, str] | None = None) -> Told:
    """Run a command, and return its report."""
    asked = [RTCDIAG, command, "--json", *options]
    began = time.monotonic()
    done = host.run(asked, timeout=40, env=PLAIN | (env or {}))
    took_s = time.monotonic() - began
    assert done.stdout, done.stderr
    assert "Traceback" not in done.stderr
    told = Told(json.loads(done.stdout))
    told.code, told.took_s = done.returncode, took_s
    return told


def text_of(host: Namespace, *options: str) -> str:
    """Run nat-type, and return what a person sees."""
    done = host.run([RTCDIAG, "nat-type", *options], timeout=40, env=PLAIN)
    assert "Traceback" not in done.stderr
    return done.stdout


__all__ = ["Answer", "Place", "Told", "ask", "place", "text_of", "wall"]


def errors(told: Told) -> set[str]:
    """Return the codes of what is wrong."""
    return told.codes("error", "warning")
