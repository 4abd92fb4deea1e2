"""What stands where no UDP is answered: a sign-in page, names made up, a firewall that says so, a proxy."""

from typing import Any

from rtcdiag.evidence import Failure, WebCheck
from support.cases import case
from support.cases.network import A4, A6, BX, BX4, C4, CONTROL, TLS, A, B, C, silent
from support.evidence import at, binding, failed, resolution, run, target

GOOGLE, CLOUDFLARE = "http://connectivitycheck.gstatic.com/generate_204", "http://cp.cloudflare.com/generate_204"
MOZILLA = "http://detectportal.firefox.com/success.txt"
ROUTER = "192.168.1.1"
FOUR = tuple(f"stun:stun.example{number}.org:3478" for number in range(4))


def web(url: str = GOOGLE, status: int | None = 204, **more: Any) -> WebCheck:
    """Return one request to a documented host: with its own answer, unless told otherwise."""
    known: dict[str, Any] = {"expected_status": 204 if url.endswith("204") else 200, "local": at("192.168.1.4:50000")}
    known |= {"t_ms": 575.0, "destination": at("198.51.100.90:80"), "url": url, "status": status}
    if status is None:
        known |= {"failure": Failure.TIMEOUT, "local": None}
    return WebCheck(**known | more)


NO_UDP = (target(A), target(BX), silent(A, A4), silent(BX, BX4))
REDIRECT: dict[str, Any] = {"status": 302, "redirect_host": "wifi.example.net"}


def refused(uri: str, address: str, by: str, failure: Failure = Failure.ADMIN_PROHIBITED) -> Any:
    return binding(uri, address, failed(failure, refused_by=by))


def defaults(*failures: Failure, port: int = 3478, **more: Any) -> tuple[Any, ...]:
    """Return four servers of the default list, each of which fails so."""
    return tuple(
        item
        for number, (uri, failure) in enumerate(zip(FOUR, failures, strict=False))
        for item in (
            target(uri, origin="default"),
            silent(uri, f"198.51.100.{60 + number}:{port}", failure, **more),
        )
    )


CASES = {
    # --- a sign-in page
    "documented hosts lead somewhere else, and no UDP is answered": case(
        run(*NO_UDP, web(**REDIRECT), web(CLOUDFLARE, **REDIRECT), CONTROL), "captive-portal"
    ),
    "a documented host shows another page": case(
        run(*NO_UDP, web(status=200, content="other"), web(MOZILLA, None)), "captive-portal"
    ),
    "known content was replaced": case(run(*NO_UDP, web(MOZILLA, 200, content="other")), "captive-portal"),
    "somebody asks for authentication to the network (511)": case(run(*NO_UDP, web(status=511)), "captive-portal"),
    "a redirect leads to what is no host name": case(run(*NO_UDP, web(status=307, redirect_host="")), "captive-portal"),
    "names lead to the sign-in page itself": case(
        run(
            target(A),
            *(resolution(name, "10.0.0.1") for name in ("stun.example.org", "dns.google", "cp.cloudflare.com")),
            silent(A, "10.0.0.1:3478"),
            web(status=200, content="other", destination=at("10.0.0.1:80")),
        ),
        "captive-portal",
    ),
    "no name gets an answer before the sign-in": case(
        run(target(A), resolution("stun.example.org", failure=Failure.DNS_TIMEOUT), web(**REDIRECT)), "captive-portal"
    ),
    "a relay carries data before the sign-in": case(
        run(*NO_UDP, *TLS.up_to("end"), web(**REDIRECT)), "captive-portal", "udp-blocked-relay-works"
    ),
    "one documented host gives its own answer: the web is there": case(
        run(*NO_UDP, web(**REDIRECT), web(MOZILLA, 200, content="expected"), CONTROL), "udp-blocked"
    ),
    "the documented answer alone is a control, too": case(run(*NO_UDP, web()), "udp-blocked"),
    "a documented host refuses, or fails": case(
        run(*NO_UDP, web(status=403), web(CLOUDFLARE, 502), web(MOZILLA, 404), CONTROL), "udp-blocked"
    ),
    "a documented host redirects to itself": case(
        run(*NO_UDP, web(status=301, redirect_host="connectivitycheck.gstatic.com"), CONTROL), "udp-blocked"
    ),
    "a proxy turns no content into an empty page": case(run(*NO_UDP, web(status=200), CONTROL), "udp-blocked"),
    "a documented host that is silent, or no web server, is no sign-in page": case(
        run(*NO_UDP, web(status=None), web(CLOUDFLARE, None, failure=Failure.NOT_HTTP), CONTROL), "udp-blocked"
    ),
    "UDP is answered in spite of a sign-in page": case(run(target(A), binding(A, A4), web(**REDIRECT))),
    # --- names
    "unrelated names lead to one inner address": case(
        run(
            target(A),
            *(resolution(name, "10.0.0.1") for name in ("stun.example.org", "dns.google")),
            silent(A, "10.0.0.1:3478"),
        ),
        "dns-all-names-alike",
    ),
    "the names of the user lead to one server of his own": case(
        run(
            target(A),
            target(B),
            *(resolution(name, "10.0.0.1") for name in ("stun.example.org", "stun.example.net")),
            binding(A, "10.0.0.1:3478"),
        ),
        "dns-private-address",
    ),
    "not one name exists, documented ones neither": case(
        run(
            target(A),
            *(resolution(name, failure=Failure.DNS_NOT_FOUND) for name in ("stun.example.org", "dns.google")),
            CONTROL,
        ),
        "dns-fails",
    ),
    "a name does not exist, and a documented one does": case(
        run(
            target(A),
            resolution("stun.example.org", failure=Failure.DNS_NOT_FOUND),
            resolution("dns.google", "198.51.100.90"),
        ),
        "dns-name-not-found",
    ),
    # --- a firewall that says so
    "a router says that it lets no UDP through, and TCP passes": case(
        run(target(A), target(BX), refused(A, A4, ROUTER), refused(BX, BX4, ROUTER), CONTROL), "udp-blocked"
    ),
    "a router says so of the only server": case(run(target(A), refused(A, A4, ROUTER), CONTROL), "server-forbidden"),
    "a router says so of IPv6, and IPv4 works": case(
        run(target(A), binding(A, A4), refused(A, A6, "2001:db8:1::1"), ipv6=True), "server-ipv6-silent"
    ),
    "a router cannot reach any of two servers": case(
        run(
            target(A),
            target(BX),
            refused(A, A4, ROUTER, Failure.HOST_UNREACHABLE),
            refused(BX, BX4, ROUTER, Failure.HOST_UNREACHABLE),
        ),
        "no-answer-at-all",
    ),
    "this computer forbids UDP to the whole default list": case(
        run(*defaults(*[Failure.PERMISSION_DENIED] * 4), CONTROL), "local-firewall"
    ),
    "this computer forbids UDP to the default list, and has no IPv6": case(
        run(
            *defaults(*[Failure.PERMISSION_DENIED] * 4),
            silent(FOUR[0], A6, Failure.NETWORK_UNREACHABLE),
            CONTROL,
        ),
        "local-firewall",
        "family-not-here",
    ),
    # --- one port
    "four hosts of the default list are silent on one port, and a fifth answers on another": case(
        run(*defaults(*[Failure.TIMEOUT] * 4), target(BX, origin="default"), binding(BX, BX4)), "udp-port-silent"
    ),
    "three hosts of the default list are down": case(
        run(*defaults(*[Failure.TIMEOUT] * 3), target(BX, origin="default"), binding(BX, BX4)), "server-silent"
    ),
    "four hosts of the default list are down, and a fifth answers on the same port": case(
        run(*defaults(*[Failure.TIMEOUT] * 4), target(C, origin="default"), binding(C, C4)), "server-silent"
    ),
    # --- a proxy
    "a proxy is set, and no UDP is answered": case(
        run(*NO_UDP, CONTROL, proxies=("HTTPS_PROXY",)), "udp-blocked", "proxy-not-used"
    ),
    "a proxy is set, and UDP is answered": case(run(target(A), binding(A, A4), proxies=("HTTPS_PROXY",))),
}
