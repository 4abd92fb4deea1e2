"""A lab: an internet, hosts behind middleboxes, servers, and the commands that run on the hosts."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from rtcdiag.lab import building, names, servers
from rtcdiag.lab.crossing import Crossing
from rtcdiag.lab.failure import LabError
from rtcdiag.lab.host import execute
from rtcdiag.lab.interfaces import Network
from rtcdiag.lab.linux import enter
from rtcdiag.lab.packet_log import PacketLog
from rtcdiag.lab.plan import SIDES, Group, HostPlan, plan_apart, plan_together
from rtcdiag.lab.processes import (
    contained,
    ended,
    has_ended,
    held_signals,
    in_the_foreground,
    next_signal,
    run_and_exit,
)
from rtcdiag.lab.servers import ServerKind
from rtcdiag.lab.spec import NatSpec
from rtcdiag.lab.wire import Port, pump


class HostSpec(NamedTuple):
    """What runs behind which NATs, the innermost first."""

    nats: tuple[NatSpec, ...]
    command: tuple[str, ...]


class LabSpec(NamedTuple):
    """Everything that makes a lab."""

    hosts: tuple[HostSpec, ...]
    """One, or the two of a pair."""
    servers: tuple[ServerKind, ...] = ()
    addresses: tuple[str, ...] = ()
    """More addresses that the lab's internet has."""
    internet: str | None = None
    """A line for the shell, which runs on the internet all the while."""
    shared: tuple[NatSpec, ...] = ()
    """What both of a pair are behind, after their own NATs, the innermost first."""
    gateway: str | None = None
    """A line for the shell, which runs where the first host's LAN has its router."""
    names: tuple[tuple[str, str], ...] = ()
    """Names and addresses that the lab's name server knows; without any there is no name server."""
    seed: int | None = None
    """What the random choices of the NATs follow from; None for others each time."""
    packet_log: int | None = None
    """A file, open for appending: what each NAT did with each packet."""
    tap: bool | None = None
    """Whether to use TAP devices or packet sockets; None for whichever this user may."""


def run_lab(spec: LabSpec, report: Callable[[str], None]) -> int:
    """Run the commands; return the first exit code of theirs that is not 0, or 0; 125 where the lab itself failed.

    `report` is told in one line why. Everything that the lab made is gone when this returns, and also when this process
    is killed.
    """
    foreground = in_the_foreground()
    with held_signals() as mask:
        lab = _Lab(spec, report, mask, foreground=foreground)
        return contained(lab.run, report, foreground=foreground)


class _Lab:
    """What the first process of a lab does: build, start, wait."""

    def __init__(
        self, spec: LabSpec, report: Callable[[str], None], mask: set[signal.Signals], *, foreground: bool
    ) -> None:
        self._spec = spec
        self._report = report
        self._mask = mask
        self._foreground = foreground
        self._parts: dict[int, str] = {}
        self._commands: list[int] = []
        self._nowhere: Port | None = None
        """Held open: otherwise its interface would be gone."""

    def run(self) -> int:
        """Return the exit code. When this process ends, the kernel ends the others and takes everything away."""
        user = servers.User.new()
        try:
            networks = self._build(user)
        except OSError as error:
            raise LabError(f"this computer refuses a part of the lab: {error}; see docs/lab.md") from None
        early = [int(number) for number in signal.sigpending() if number != signal.SIGCHLD]
        if early:
            return 128 + early[0]
        for number, network in enumerate(networks):
            self._commands.append(self._fork(lambda: self._execute(number, network, user)))  # noqa: B023 - runs at once
        return self._supervise()

    def _build(self, user: servers.User) -> list[Network]:
        spec = self._spec
        branches = [one.nats for one in spec.hosts]
        groups = [plan_together(branches, spec.shared)] if spec.shared else plan_apart(branches)
        grounds = building.grounds(tap=spec.tap)
        *outside, self._nowhere = building.build_internet(grounds, groups, spec.addresses)
        waits = [servers.start(spec.servers, user, self._keep), names.start(spec.names, self._keep)]
        if spec.internet is not None:
            self._keep(lambda: _shell(str(spec.internet), self._mask), "the command on the internet")
        networks = [
            network for group, far in zip(groups, outside, strict=True) for network in self._cross(grounds, group, far)
        ]
        for wait in waits:
            wait()
        return networks

    def _cross(self, grounds: building.Grounds, group: Group, far: Port) -> list[Network]:
        """Build the hosts of a group, and start what is between them and the internet."""
        log = self._spec.packet_log
        crossing = Crossing(group, far, self._spec.seed, None if log is None else PacketLog(log))
        networks = []
        for host in group.hosts:
            network, near = building.build_host(grounds, host)
            networks.append(network)
            crossing.plug_in(host, near, self._gateway(grounds, host))
        self._keep(lambda: pump(crossing.inputs, crossing.schedule), "a NAT")
        return networks

    def _gateway(self, grounds: building.Grounds, host: HostPlan) -> Port | None:
        line = self._spec.gateway
        if line is None or host.side != SIDES[0]:
            return None
        network, (lan, _) = building.build_gateway(grounds, host)
        self._keep(lambda: _shell(line, self._mask, network), "the command on the gateway")
        return lan

    def _execute(self, number: int, network: Network, user: servers.User) -> int:
        spec = self._spec
        side = {"RTCDIAG_LAB_SIDE": "ab"[number]} if len(spec.hosts) > 1 else {}
        environment = side | servers.environment(spec.servers, user)
        command = spec.hosts[number].command
        silent = number > 0
        return execute(command, network, environment, self._mask, foreground=self._foreground, silent=silent)

    def _fork(self, work: Callable[[], int]) -> int:
        child = os.fork()
        if child == 0:
            run_and_exit(work, self._report)
        return child

    def _keep(self, work: Callable[[], int], name: str) -> Callable[[], None]:
        """Do the work in a process that no signal of the terminal reaches; the lab fails when it does.

        Return what raises LabError where the process has ended by now.
        """

        def apart() -> int:
            os.setsid()
            return work()

        child = self._fork(apart)
        self._parts[child] = name

        def check() -> None:
            if has_ended(child):
                raise LabError(f"{name} ended early")

        return check

    def _supervise(self) -> int:
        codes: dict[int, int] = {}
        while len(codes) < len(self._commands):
            number = next_signal(foreground=self._foreground)
            for child, code in ended():
                if child in self._commands:
                    codes[child] = code
                elif code and child in self._parts:
                    raise LabError(f"{self._parts[child]} ended early, with exit code {code}")
            for child in self._commands if number is not None else ():
                with suppress(ProcessLookupError):
                    os.kill(child, number or 0)
        return next((codes[child] for child in self._commands if codes[child]), 0)


def _shell(line: str, mask: set[signal.Signals], network: Network | None = None) -> int:
    """Turn this process into a shell here or in another network; what it prints is not the result of the command."""
    if network is not None:
        enter(network.file)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    os.execv("/bin/sh", ["sh", "-c", line])  # noqa: S606 - the user's command
