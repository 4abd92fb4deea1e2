"""What a command is going to try, as a value: the jobs of a run, without a packet."""

from ipaddress import ip_address
from typing import TypeGuard

from msgspec.structs import replace

from rtcdiag.address import Scope, scope_of
from rtcdiag.options import RunOptions
from rtcdiag.probes.job import Job
from rtcdiag.proxies import Proxy
from rtcdiag.targets import Server, Transport, may_go_through, through

CONTROLS = ("control", "web-check")
"""What is asked beside the servers, to tell what their silence means."""


def plan(command: str, servers: tuple[Server, ...], options: RunOptions) -> tuple[Job, ...]:
    """Return the experiments of a command: report, nat-type, connect, check-stun, check-turn, candidates, audit-turn.

    Servers are told apart by protocol: whatever the command, each is asked what it is for.
    """
    each = tuple(_alone(server, options) for server in dict.fromkeys(servers))
    nat = Job(probe="nat-behavior", servers=over_udp(servers))
    relays = (Job(probe="vantage", servers=servers),) if any(map(_may_relay, servers)) else ()
    opt_in = _opt_in(over_udp(servers), options)
    candidates = Job(probe="candidates", servers=servers)
    wanted = options.control and not _all_local(servers)
    control = tuple(Job(probe=probe) for probe in CONTROLS) if wanted else ()
    way_out = _way_out(servers, options)
    match command:
        case "report" | "connect":
            # A session has gathered its candidates by itself.
            last = (candidates,) if command == "report" else ()
            return (*control, *way_out, *(_beside(job, nat) for job in each), nat, *relays, *opt_in, *last)
        case "nat-type":
            return (*control, *way_out, nat, *relays, *opt_in)
        case "candidates":
            return (candidates,)
        case "check-turn":
            return tuple(replace(job, trials=True) for job in each)
        case "audit-turn":
            return (Job(probe="audit", servers=servers),) if servers else ()
        case _:
            return each


def _alone(server: Server, options: RunOptions) -> Job:
    """Ask a server by itself, and a TURN server over TCP or TLS through the proxy as well, where there is one."""
    ways = (server, through(server, options.proxy.label)) if _goes_through(options.proxy, server) else (server,)
    return Job(probe=f"{server.protocol}-server", servers=ways)


def _goes_through(proxy: Proxy | None, server: Server) -> TypeGuard[Proxy]:
    return proxy is not None and not proxy.problem and may_go_through(server) and proxy.serves(server.host, server.port)


def _beside(job: Job, nat: Job) -> Job:
    """Ask once whom the NAT experiment asks too: what that is answered tells round-trip times as well."""
    return replace(job, samples=1) if set(job.servers) <= set(nat.servers) else job


def _way_out(servers: tuple[Server, ...], options: RunOptions) -> tuple[Job, ...]:
    """Return what looks at the way to the servers; there is none where all are this computer.

    It comes first: the one mapping that it makes in a NAT must not fall between those of the NAT experiment.
    """
    asked = over_udp(servers)
    if _all_local(servers):
        return ()
    gateway = (Job(probe="gateway", servers=servers),) if options.gateway and servers else ()
    return (*gateway, *((Job(probe="hops", servers=asked),) if asked else ()))


def _opt_in(servers: tuple[Server, ...], options: RunOptions) -> tuple[Job, ...]:
    wanted = {
        "hairpin": options.hairpin,
        "lifetime": options.lifetime_up_to_s is not None,
        "fragments": options.fragments,
    }
    return tuple(Job(probe=probe, servers=servers) for probe, is_wanted in wanted.items() if is_wanted)


def over_udp(servers: tuple[Server, ...]) -> tuple[Server, ...]:
    """Return the servers that are asked over UDP."""
    return tuple(server for server in servers if server.transport is Transport.UDP)


def _may_relay(server: Server) -> bool:
    """Tell whether a server's relays can be used: filters are then tested from there."""
    return server.protocol == "turn" and server.credential is not None and server.transport is not Transport.DTLS


def _all_local(servers: tuple[Server, ...]) -> bool:
    """Tell whether every server is this computer by its literal address: then no control has anything to tell."""
    return all(server.ip_literal and scope_of(ip_address(server.host)) is Scope.LOOPBACK for server in servers)
