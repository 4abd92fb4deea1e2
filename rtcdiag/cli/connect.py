"""``rtcdiag connect``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rtcdiag.cli.asking import Question, list_contacts, servers_of
from rtcdiag.cli.commands import command_app
from rtcdiag.cli.options import OUTPUT, RESULT, Network, Output, PairRequirement, Servers

if TYPE_CHECKING:
    from rtcdiag.cli.connecting import Ended
    from rtcdiag.cli.copying import Ways
    from rtcdiag.options import RunOptions

LASTS_S = 600.0
"""How long a session waits unless --deadline says otherwise."""
SIGNALING = "Signaling"


def connect(
    code: Annotated[
        str | None,
        typer.Argument(
            metavar="[CODE|FILE|-]",
            help="Answer this offer: the code of another rtcdiag, or the SDP of any application.",
            show_default=False,
        ),
    ] = None,
    *,
    hide_local: Annotated[
        bool, typer.Option("--hide-local", help="Do not tell the other end local addresses.", rich_help_panel=SIGNALING)
    ] = False,
    relay_only: Annotated[
        bool,
        typer.Option("--relay-only", help="Use and tell nothing but relays.", rich_help_panel=SIGNALING),
    ] = False,
    source: Annotated[
        str | None,
        typer.Option(
            "--in", metavar="FILE|-", help="Read the answer here, also when it comes later.", rich_help_panel=SIGNALING
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--out", metavar="FILE|-", help="Write the own code here.", rich_help_panel=SIGNALING),
    ] = None,
    reports_dir: Annotated[
        Path, typer.Option(metavar="DIR", help="Save JSON and HTML here.", show_default=True, rich_help_panel=OUTPUT)
    ] = Path("reports"),
    require: Annotated[
        list[PairRequirement] | None,
        typer.Option(help="Exit with 1 unless this worked; may be repeated.", rich_help_panel=RESULT),
    ] = None,
    output: Output,
    servers: Servers,
    network: Network,
) -> int:
    """Test with another person whether your two computers really connect, directly and through relays.

    One of you runs it without a code, the other with the code that it prints; the first then pastes the answer. Nobody
    else is told anything. Asks the servers given by --server or --ice-servers, else a default list.
    """
    question = Question("connect", output, servers, network, relay_only=relay_only, reports_dir=reports_dir)
    if network.list_contacts:
        return list_contacts(question)
    from rtcdiag.cli.checking import run_options
    from rtcdiag.cli.copying import Ways
    from rtcdiag.cli.exits import session_exit_code
    from rtcdiag.cli.outputs import deliver, destinations, prepare_pair, save_pair

    ways = Ways(source, to)
    _check(question, ways, code)
    options, files = run_options(question), destinations(output)
    prepare_pair(reports_dir)
    ended = _session(question, options, ways, code, hide_local=hide_local)
    deliver(ended.report, output, files)
    save_pair(ended.report, reports_dir, quiet=output.quiet)
    return session_exit_code(ended.report, require=require or (), signal=ended.signal)


def _check(question: Question, ways: "Ways", code: str | None) -> None:
    from rtcdiag.cli.copying import check_ways
    from rtcdiag.cli.entry import BadInputError

    check_ways(ways)
    if code is not None and ways.source is not None:
        raise BadInputError(f"--in {ways.source}: says where the answer comes from, and this end makes it")
    as_json = question.output.as_json or question.output.format is not None
    if ways.to == "-" and as_json:
        raise BadInputError("--out - and the report would both go to standard output (write --out FILE)")
    given = question.servers
    readers = {
        "the offer": code,
        "--in": ways.source,
        "--ice-servers": given.ice_servers,
        "--ice-servers-token-file": given.ice_servers_token_file,
        "--password-file": given.password_file,
        "--secret-file": given.secret_file,
    }
    named = [name for name, value in readers.items() if value == "-"]
    if len(named) > 1:
        raise BadInputError(f"only one of {' and '.join(named)} can be -, standard input")


def _session(question: Question, options: "RunOptions", ways: "Ways", code: str | None, *, hide_local: bool) -> "Ended":
    from rtcdiag.cli.copying import Person, channel, offered, used_codes

    used = used_codes()
    offer = offered(code, used)
    named, before = servers_of(question, options)
    from rtcdiag.cli.connecting import Session, run_session  # it imports every probe: not before the input is good
    from rtcdiag.cli.recording import recorded
    from rtcdiag.nat.vpn import own_of_vpn
    from rtcdiag.probes.environment import environment

    lasts_s = question.network.deadline or LASTS_S
    session = Session(named, options, lasts_s, hide_local=hide_local, given=before, quiet=question.output.quiet)
    with recorded(question.network.pcap, quiet=question.output.quiet) as capture:
        return run_session(
            session,
            capture,
            lambda net: channel(Person(ways, offer, lasts_s / 60, own_of_vpn(environment(net))), used),
        )


app = command_app(connect)
