"""A computer of the lab, and a command that runs on it."""

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from rtcdiag.lab import linux
from rtcdiag.lab.interfaces import Network
from rtcdiag.lab.iproute import ip
from rtcdiag.lab.plan import NAME_SERVER, HostPlan

INTERFACE = "eth0"
LAN, WAN = "lan", "wan"
"""The interfaces of a program that answers for a router."""
_FILES = {"/etc/resolv.conf": f"nameserver {NAME_SERVER}\n", "/etc/nsswitch.conf": "hosts: files dns\n"}
_SCRATCH = "/tmp"  # noqa: S108 - a file system of its own is mounted there for a moment
_NOT_FOUND = 127
_NOT_RUN = 126


def configure(plan: HostPlan) -> None:
    """Give the host, in the present network, its addresses and its way out."""
    ip(
        "link set lo up",
        f"link set {INTERFACE} up",
        f"address add {plan.address}/{plan.lan.prefixlen} dev {INTERFACE}",
        f"address add {plan.address6}/{plan.lan6.prefixlen} dev {INTERFACE} nodad",
        f"route add default via {plan.lan[1]} dev {INTERFACE}",
        f"route add default via {plan.lan6[1]} dev {INTERFACE}",
    )


def configure_gateway(plan: HostPlan) -> None:
    """Give the present network the addresses of the host's innermost router, inside and outside."""
    router = plan.layers[0].addresses
    outside = [f"address add {address}/32 dev {WAN}" for address in router.external]
    ip(
        "link set lo up",
        f"link set {LAN} up",
        f"link set {WAN} up",
        f"address add {plan.lan[1]}/{plan.lan.prefixlen} dev {LAN}",
        f"address add {plan.lan6[1]}/{plan.lan6.prefixlen} dev {LAN} nodad",
        *outside,
    )


def execute(
    command: Sequence[str],
    network: Network,
    environment: Mapping[str, str],
    mask: set[signal.Signals],
    *,
    foreground: bool,
    silent: bool,
) -> int:
    """Turn this process into the command; return an exit code where that fails. Without `silent` it reads our input."""
    linux.enter(network.file)
    _own_files()
    if silent:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if not foreground:
        # What it signals to its own group (`kill 0`) is not for the lab.
        os.setpgid(0, 0)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    try:
        os.execvpe(command[0], list(command), {**os.environ, **environment})  # noqa: S606 - the user's command
    except OSError as error:
        os.write(2, f"rtcdiag: cannot run {command[0]}: {error.strerror}\n".encode())
        return _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_RUN


def _own_files() -> None:
    """Show the lab's interfaces and name server in place of the computer's, as far as a container lets us."""
    linux.own_mounts()
    with suppress(OSError):
        linux.mount("sysfs", "/sys", "sysfs")
    linux.mount("tmpfs", _SCRATCH, "tmpfs")
    for number, (place, text) in enumerate(_FILES.items()):
        source = Path(_SCRATCH, str(number))
        source.write_text(text, encoding="ascii")
        source.chmod(0o644)
        with suppress(OSError):  # not every system has both
            linux.bind(str(source), place)
    linux.unmount(_SCRATCH)
