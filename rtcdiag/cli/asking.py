"""What every command that asks servers does: check the options, ask, diagnose, print, write, and return the exit code.

Everything that can be wrong with the options is found before the first packet.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from rtcdiag.cli.experiment_options import Experiments, Lasting, Relays
from rtcdiag.cli.options import Judgement, Network, Output, Redacting, Servers

if TYPE_CHECKING:  # importing them costs what --list-contacts need not pay
    from rtcdiag.evidence import Observation
    from rtcdiag.options import RunOptions
    from rtcdiag.targets import Server


class Question(NamedTuple):
    """One command line that asks servers."""

    command: str
    output: Output
    servers: Servers
    network: Network
    judgement: Judgement = Judgement()
    redacting: Redacting = Redacting()
    uris: Sequence[str] = ()
    """The URIs that stand behind the command."""
    only: Literal["stun", "turn"] | None = None
    """The one kind of server that the command is about; then there is no default list."""
    experiments: Experiments = Experiments()
    relays: Relays = Relays()
    lasting: Lasting = Lasting()
    relay_only: bool = False
    reports_dir: Path | None = None
    """Where ``report`` saves its two files."""
    rendezvous: str | None = None
    """The URL at which ``connect`` meets the other person."""

    @property
    def names_servers(self) -> bool:
        """Whether the user says whom to ask, or has to."""
        given = (self.uris, self.servers.server, self.servers.ice_servers, self.only)
        return any(given)


def ask(question: Question) -> int:
    """Run the command and return its exit code."""
    if question.network.list_contacts:
        return list_contacts(question)
    from rtcdiag.cli.checking import run_options
    from rtcdiag.cli.exits import exit_code
    from rtcdiag.cli.outputs import deliver, destinations, prepare_pair, save_pair
    from rtcdiag.cli.recording import recorded
    from rtcdiag.cli.redacting import redactor

    options, files = run_options(question), destinations(question.output)
    redact = redactor(question.redacting)
    if question.reports_dir is not None:
        prepare_pair(question.reports_dir)
    servers, before = servers_of(question, options)
    from rtcdiag.cli.running import run  # it imports every probe: not before the input is known to be good

    with recorded(question.network.pcap, quiet=question.output.quiet) as capture:
        quiet = question.output.quiet
        found, signal = run(question.command, servers, options, capture, quiet=quiet, given=before)
    report = redact(found)
    deliver(report, question.output, files)
    if question.reports_dir is not None:
        save_pair(report, question.reports_dir, quiet=question.output.quiet)
    judgement = question.judgement
    return exit_code(found, fail_on=judgement.fail_on, require=judgement.require or (), signal=signal)


def servers_of(question: Question, options: "RunOptions") -> "tuple[tuple[Server, ...], tuple[Observation, ...]]":
    """Return whom to ask, and what a service that was asked for them left on record."""
    from rtcdiag.cli.servers import check_credential, default_servers, named_servers, with_credential
    from rtcdiag.cli.services import ask_service, service_of

    if not question.names_servers:
        return default_servers(), ()
    given = question.servers
    named, service = named_servers(given, question.uris, only=question.only), service_of(given)
    if service is None:
        return with_credential(named, given), ()
    check_credential(given)
    listed = ask_service(service, given, options, question.only)
    every = {server.uri: server for server in (*named, *listed.servers)}
    return with_credential(tuple(every.values()), given), listed.observations


def list_contacts(question: Question) -> int:
    """Print whom the command would contact."""
    from rtcdiag.cli.contacts import WITH_CONTROL, print_contacts

    ports = question.command in WITH_CONTROL
    told = partial(print_contacts, ports=ports, rendezvous=question.rendezvous, output=question.output)
    if not question.names_servers:
        network = question.network
        control, gateway = ports and not network.no_control, ports and not network.no_gateway
        return told(None, control=control, look_up=control, gateway=gateway)
    from rtcdiag.cli.checking import run_options
    from rtcdiag.cli.servers import named_servers
    from rtcdiag.cli.services import service_of
    from rtcdiag.planning import plan

    named = named_servers(question.servers, question.uris, only=question.only)
    options = run_options(question)
    jobs = plan(question.command, named, options)
    probes = {job.probe for job in jobs}
    control, gateway = "control" in probes, "gateway" in probes
    look_up = control or (not question.network.no_control and any(map(_is_ipv4_outside, named)))
    service = service_of(question.servers)
    uris = [*([service.label] if service else []), *(server.uri for server in named)]
    goes_through = options.proxy is not None and any(server.via for job in jobs for server in job.servers)
    proxy = (options.proxy.label, options.proxy.named_by) if options.proxy and goes_through else None
    clocks = _clocks(question, named, options, control=control)
    return told(uris, control=control, look_up=look_up, gateway=gateway, proxy=proxy, clocks=clocks)


def _clocks(question: Question, named: "tuple[Server, ...]", options: "RunOptions", *, control: bool) -> list[str]:
    """Return who may be asked for the time: only where credentials say until when they are valid."""
    from rtcdiag.contacts import CLOCK_HOSTS
    from rtcdiag.stun.credentials import shape_of

    given = question.servers
    names = [server.credential.username for server in named if server.credential]
    names += [given.username] if given.username else []
    limited = given.secret_file is not None or any(shape_of(name).form == "time-limited" for name in names)
    hosts = [server.host for server in named if server.protocol == "turn"]
    if not (limited and hosts and options.control):
        return []
    return list(dict.fromkeys([*hosts, *((contact.target for contact in CLOCK_HOSTS) if control else ())]))


def _is_ipv4_outside(server: "Server") -> bool:
    """Tell whether a computer without IPv4 reaches the server only through a NAT64, which it has to find first."""
    from ipaddress import ip_address

    from rtcdiag.address import Scope, scope_of

    ip = ip_address(server.host) if server.ip_literal else None
    return ip is not None and ip.version == 4 and scope_of(ip) is Scope.GLOBAL
