"""``rtcdiag connect``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rtcdiag.cli.asking import Question, list_contacts, servers_of
from rtcdiag.cli.commands import command_app
from rtcdiag.cli.options import OUTPUT, RESULT, Carrier, Network, OfferAs, PairRequirement, Redacting, Servers
from rtcdiag.cli.pair_options import PairOutput

if TYPE_CHECKING:
    from rtcdiag.cli.browsing import Browsing
    from rtcdiag.cli.connecting import Ended, Joined, Session
    from rtcdiag.cli.copying import Copying, Ways
    from rtcdiag.cli.meeting import Meeting
    from rtcdiag.cli.outputs import Destination
    from rtcdiag.cli.redacting import PairRedactor
    from rtcdiag.net import Net
    from rtcdiag.options import RunOptions

LASTS_S = 600.0
"""How long a session waits unless --deadline says otherwise."""
SIGNALING = "Signaling"


def connect(
    code: Annotated[
        str | None,
        typer.Argument(
            metavar="[CODE|FILE|-]",
            help="Answer this offer: the code or the room's address of another rtcdiag, or any application's SDP.",
            show_default=False,
        ),
    ] = None,
    *,
    rendezvous: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Meet here (rtcdiag serve signal) instead of copying text.", rich_help_panel=SIGNALING
        ),
    ] = None,
    signaling: Annotated[
        Carrier | None,
        typer.Option(help="How to reach a rendezvous: sse unless set.", rich_help_panel=SIGNALING),
    ] = None,
    no_trickle: Annotated[
        bool,
        typer.Option("--no-trickle", help="Tell candidates only when all are found.", rich_help_panel=SIGNALING),
    ] = False,
    browser: Annotated[
        bool,
        typer.Option(
            "--browser", help="Connect with a browser on this computer: serves it a page.", rich_help_panel=SIGNALING
        ),
    ] = False,
    offer_as: Annotated[
        OfferAs | None,
        typer.Option(
            help="Offer to another application, in this form of SDP, instead of to an rtcdiag.",
            rich_help_panel=SIGNALING,
        ),
    ] = None,
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
    output: PairOutput,
    servers: Servers,
    network: Network,
    redacting: Redacting,
) -> int:
    """Test with another person whether your two computers really connect, directly and through relays.

    One of you runs it without a code, the other with the code that it prints; the first then pastes the answer. Nobody
    else is told anything. With --rendezvous, nothing is pasted: what you tell each other goes through it, encrypted.
    With --browser, the other end is a browser on this computer, with data channels: needs the extra browser.
    Asks the servers given by --server or --ice-servers, else a default list. --bind and --interface choose what is
    tested; the way to a rendezvous is the system's choice.
    """
    question = Question(
        "connect", output, servers, network, redacting=redacting, relay_only=relay_only, reports_dir=reports_dir
    )
    if network.list_contacts:
        return list_contacts(question._replace(rendezvous=_rendezvous(code, rendezvous)))
    from rtcdiag.cli.browsing import browsing
    from rtcdiag.cli.checking import run_options
    from rtcdiag.cli.copying import Ways
    from rtcdiag.cli.outputs import destinations_of_two, prepare_pair
    from rtcdiag.cli.redacting import PairRedactor
    from rtcdiag.cli.streams import tell
    from rtcdiag.signaling.channel import SignalingError

    ways = Ways(source, to)
    beside = {"a code": code, "--rendezvous": rendezvous, "--signaling": signaling, "--no-trickle": no_trickle}
    beside |= {"--offer-as": offer_as}
    other = browsing({**beside, "--in": source, "--out": to}) if browser else None
    meeting = _meeting(question, ways, code, rendezvous, signaling)
    _check_form(offer_as, code, rendezvous)
    _check(question, ways, None if meeting else code)
    options, files = run_options(question), destinations_of_two(output)
    redact = PairRedactor(redacting)
    prepare_pair(reports_dir)
    if redact.level != "none" and not output.quiet:
        tell(_REDACTED + (_NAMED if meeting else ""))
    try:
        carried_by = other or meeting or _copying(ways, code, offer_as)
        ended = _session(question, options, carried_by, hide_local=hide_local, trickle=not no_trickle)
    except SignalingError as error:
        from rtcdiag.cli.exits import INCONCLUSIVE
        from rtcdiag.cli.meeting import unnamed

        place = meeting.at if meeting is not None and redact.level != "none" else None
        tell(f"rtcdiag: {str(error) if place is None else unnamed(str(error), place)}")
        return INCONCLUSIVE
    from rtcdiag.cli.exits import session_exit_code  # it imports judgement: not while the other person waits

    deliver_session(ended, redact, output, files, reports_dir)
    return session_exit_code(ended.report, require=require or (), signal=ended.signal)


_REDACTED = (
    "What is printed and saved here will be redacted. The other end is told addresses all the same, as it has to be to "
    "connect: they are in the code or go through the rendezvous, and in the report that it gets."
)
_NAMED = " The line to run there names the rendezvous."


def deliver_session(
    ended: "Ended", redact: "PairRedactor", output: PairOutput, files: "tuple[Destination, ...]", reports_dir: Path
) -> None:
    """Print what both ends know together where both reports are here, else this end's half; save all there is."""
    from rtcdiag.cli.joining import joined
    from rtcdiag.cli.outputs import deliver, deliver_comparison, save_pair, save_session

    own = redact.one(ended.report)
    try:
        found = joined(ended, redact)
        if found is None:
            deliver(own, output, files)
        else:
            deliver_comparison(found, output, files)
            save_session(found, own, reports_dir, quiet=output.quiet)
    finally:  # whatever the other end's report does to this program
        save_pair(own, reports_dir, quiet=output.quiet)


def _check_form(offer_as: OfferAs | None, code: str | None, rendezvous: str | None) -> None:
    from rtcdiag.cli.entry import BadInputError

    if offer_as is not None and rendezvous is not None:
        raise BadInputError(f"--offer-as {offer_as}: is for copied text, and only rtcdiag meets at a rendezvous")
    if offer_as is not None and code is not None:
        raise BadInputError(f"--offer-as {offer_as}: this end answers, in the form of the offer that it was given")


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


def _meeting(
    question: Question, ways: "Ways", code: str | None, rendezvous: str | None, signaling: Carrier | None
) -> "Meeting | None":
    from rtcdiag.cli.entry import BadInputError
    from rtcdiag.cli.meeting import Meeting, meeting_place

    place = meeting_place(code, rendezvous)
    if place is None:
        if signaling is not None:
            raise BadInputError(f"--signaling {signaling}: needs --rendezvous URL, or the address of a room")
        return None
    if ways.source is not None or ways.to is not None:
        raise BadInputError("--in and --out are for copied text, and a rendezvous needs none")
    lasts_s = min(question.network.deadline or LASTS_S, LASTS_S)
    proxy = question.network.proxy
    return Meeting(place, signaling or "sse", question.servers.ca_file, proxy, lasts_s, question.output.quiet)


def _rendezvous(code: str | None, rendezvous: str | None) -> str | None:
    """Return the URL of the rendezvous, without the room and its key."""
    from rtcdiag.cli.meeting import meeting_place
    from rtcdiag.signaling.invitation import Invitation

    place = meeting_place(code, rendezvous)
    return place.rendezvous.url if isinstance(place, Invitation) else place.url if place else None


def _copying(ways: "Ways", code: str | None, offer_as: OfferAs | None) -> "Copying":
    from rtcdiag.cli.copying import Copying, offered, used_codes

    used = used_codes()
    return Copying(ways, offered(code, used), offer_as, used)


def _session(
    question: Question,
    options: "RunOptions",
    signaling: "Browsing | Meeting | Copying",
    *,
    hide_local: bool,
    trickle: bool,
) -> "Ended":
    named, before = servers_of(question, options)
    from rtcdiag.cli.browsing import Browsing
    from rtcdiag.cli.connecting import Session, run_session  # it imports every probe: not before the input is good
    from rtcdiag.cli.recording import recorded

    lasts_s, quiet = question.network.deadline or LASTS_S, question.output.quiet
    session = Session(named, options, lasts_s, hide_local=hide_local, trickle=trickle, given=before, quiet=quiet)
    redacted = question.redacting.redact != "none"
    session = session._replace(to_page=isinstance(signaling, Browsing), redacted=redacted)
    with recorded(question.network.pcap, quiet=quiet) as capture:
        return run_session(session, capture, lambda net: _channel(signaling, net, session))


async def _channel(signaling: "Browsing | Meeting | Copying", net: "Net", session: "Session") -> "Joined":
    from rtcdiag.cli.browsing import Browsing, browse
    from rtcdiag.cli.connecting import Joined
    from rtcdiag.cli.copying import Copying, Person, channel
    from rtcdiag.cli.meeting import meet

    if isinstance(signaling, Browsing):
        opened = await browse(net, session)
        return Joined(opened.channel, opened.trial, opened.tell)
    if isinstance(signaling, Copying):
        from rtcdiag.nat.vpn import own_of_vpn
        from rtcdiag.probes.environment import environment

        person = Person(
            signaling.ways,
            signaling.offer,
            lasts_s=session.lasts_s,
            offer_as=signaling.offer_as,
            keeps_report=session.keeps_report,
            redacted=session.redacted,
            vpn=own_of_vpn(environment(net)),
        )
        return Joined(channel(person, signaling.used))
    return Joined(await meet(signaling))


app = command_app(connect)
