"""Answers to Binding requests, how they came, and what a server offers for NAT tests."""

from typing import Any

from rtcdiag.evidence import Binding, Evidence, Exchange, Failure, Interface, Stray
from rtcdiag.targets import Transport
from support.cases import case
from support.cases.network import A4, A6, B4, C4, A, B, C
from support.evidence import PUBLIC, SHAPE, Turn, answer, answered, at, binding, failed, refused, run, target

TURN = Turn()


def one(**more: Any) -> Evidence:
    """Return one server's answer."""
    return run(target(A), binding(A, A4, answered(A4, **{"xor_mapped": at(PUBLIC)} | more)))


def sent(times: int, *answers: Any, **more: Any) -> Evidence:
    """Return one exchange with these answers."""
    exchange = Exchange(sent_ms=tuple(map(float, range(times))), answers=answers, rtt_ms=20.0, **more)
    return run(target(A), binding(A, A4, exchange))


def stray(why: Any, size_bytes: int = 32) -> Stray:
    return Stray(t_ms=3.0, source=at(A4), size_bytes=size_bytes, why=why)


def changed(exchange: Exchange, **more: Any) -> Binding:
    fields: dict[str, Any] = {"purpose": "filtering", "socket": "fa", "change": "address-and-port"}
    return binding(A, A4, exchange, **fields | more)


GOOD = answer(A4, xor_mapped=at(PUBLIC))
OTHER = "198.51.100.11:3479"

GLOBAL_HERE = "203.0.113.50:40000"
ALTERNATE = "198.51.100.11:3478"
RFC5780 = (
    target(A),
    binding(A, A4, answered(A4, xor_mapped=at(PUBLIC), other_address=at(OTHER)), purpose="mapping", socket="m1"),
)


def alternates(*ports: int) -> tuple[Binding, ...]:
    """Return direct answers of the server's alternates, which see these public ports."""
    first, second = (at(f"203.0.113.7:{port}") for port in ports)
    return (
        binding(A, ALTERNATE, answered(ALTERNATE, xor_mapped=first), role="alternate-address", socket="m1"),
        binding(A, OTHER, answered(OTHER, xor_mapped=second), role="alternate-address-and-port", socket="m1"),
    )


HEARD = tuple(
    binding(A, to, answered(to), response_port=port, heard_on="m1", purpose="control", socket=socket, role=role)
    for to, port, socket, role in (
        (A4, 50123, "ka", "primary"),
        (OTHER, 50125, "la", "alternate-address-and-port"),
    )
)
"""Answers that the server sent to the very ports that it told."""
ONE_MAPPING = alternates(50123, 50123)
DROPPED = (changed(failed()), changed(failed(), purpose="control", socket="ca"))

CASES = {
    "two servers see the same": case(run(target(A), target(B), binding(A, A4), binding(B, B4))),
    "STUN asks for a password": case(run(target(A), binding(A, A4, refused(A4, 401))), "binding-needs-credentials"),
    "STUN is forbidden": case(run(target(A), binding(A, A4, refused(A4, 403))), "binding-rejected"),
    "STUN fails without a code": case(run(target(A), binding(A, A4, answered(A4, success=False))), "binding-rejected"),
    "STUN sends us elsewhere": case(
        run(target(A), binding(A, A4, refused(A4, 300, alternate_server=at(B4)))), "server-redirects"
    ),
    "the answer has no address": case(one(xor_mapped=None), "binding-without-address"),
    "the answer has only MAPPED-ADDRESS": case(
        one(xor_mapped=None, mapped=at(PUBLIC)), "stun-without-xor-mapped-address"
    ),
    "the mapped address is 0.0.0.0": case(one(xor_mapped=at("0.0.0.0:5000")), "mapped-address-implausible"),
    "a server on this computer sees what nobody sent from": case(
        run(
            target("stun:127.0.0.1:3478"),
            binding("stun:127.0.0.1:3478", "127.0.0.1:3478", answered("127.0.0.1:3478", xor_mapped=at("172.17.0.1:9"))),
        ),
        "mapped-address-not-ours",
        "only-this-computer-asked",
    ),
    "a server on this computer, and the own address is not known": case(
        run(
            target("stun:127.0.0.1:3478"),
            binding("stun:127.0.0.1:3478", "127.0.0.1:3478", local=None),
        ),
        "only-this-computer-asked",
    ),
    "two answers to one request tell different addresses": case(
        sent(2, answer(A4, xor_mapped=at(PUBLIC)), answer(A4, xor_mapped=at("203.0.113.9:1"))), "answers-contradict"
    ),
    "an answer and an error to one request": case(
        sent(2, answer(A4, xor_mapped=at(PUBLIC)), answer(A4, success=False, error_code=500)), "answers-contradict"
    ),
    "two answers to one request tell the same": case(sent(2, GOOD, GOOD)),
    "STUN sends us to nobody": case(run(target(A), binding(A, A4, refused(A4, 300))), "server-redirects-nowhere"),
    "a server drops CHANGE-REQUEST, on a socket that had asked its alternates as well": case(
        run(*RFC5780, *ONE_MAPPING, *DROPPED), "stun-drops-change-request"
    ),
    "a filter may have dropped the changed answers: no control was made": case(run(*RFC5780, *ONE_MAPPING, DROPPED[0])),
    "a mapping that depends on the destination may have dropped the changed answers": case(
        run(*RFC5780, *alternates(50124, 50125), *HEARD, *DROPPED),
        "nat-endpoint-dependent-mapping",
    ),
    "the deadline cut the changed answers off": case(
        run(
            *RFC5780,
            *ONE_MAPPING,
            *(changed(failed(Failure.DEADLINE), purpose=purpose) for purpose in ("filtering", "control")),
        ),
        "deadline-reached",
    ),
    "a changed answer comes from a third address": case(
        run(
            *RFC5780,
            changed(
                failed(answers=(answer("198.51.100.77:1", xor_mapped=at(PUBLIC), expected_source=False),)),
                answer_from=at(OTHER),
            ),
        ),
        "stun-changes-to-wrong-address",
    ),
    "two servers see the same and the third another address from one socket": case(
        run(
            target(A),
            target(B),
            target(C),
            binding(A, A4, purpose="mapping", socket="m1"),
            binding(B, B4, purpose="mapping", socket="m1"),
            binding(C, C4, answered(C4, xor_mapped=at("203.0.113.7:4000")), purpose="mapping", socket="m1"),
        ),
        "nat-servers-contradict",
        "no-nat-behavior-server",
    ),
    "one server sees this computer's own address and the other one another": case(
        run(
            target(A),
            target(B),
            binding(A, A4, answered(A4, xor_mapped=at(GLOBAL_HERE)), purpose="mapping", local=at(GLOBAL_HERE)),
            binding(B, B4, purpose="mapping", local=at(GLOBAL_HERE)),
        ),
        "nat-servers-contradict",
        "no-nat-behavior-server",
    ),
    "two servers behind a NAT see two ports: that may be the NAT": case(
        run(
            target(A),
            target(B),
            binding(A, A4, purpose="mapping", socket="m1"),
            binding(B, B4, answered(B4, xor_mapped=at("203.0.113.7:4000")), purpose="mapping", socket="m1"),
        ),
        "no-nat-behavior-server",
    ),
    "the mapped port is 0": case(one(xor_mapped=at("203.0.113.7:0")), "mapped-address-implausible"),
    "the mapped address is of another family": case(
        one(xor_mapped=at("[2001:db8::7]:5000")), "mapped-address-implausible"
    ),
    "a public server sees a private address that is not ours": case(
        one(xor_mapped=at("10.244.0.1:5000")), "mapped-address-private"
    ),
    "a public server sees our own private address: there is no NAT on this way": case(
        run(
            target(A),
            binding(A, A4, answered(A4, xor_mapped=at("10.0.0.9:5000")), local=None),
            interfaces=(Interface(name="eth0", role="ethernet", addresses=("10.0.0.9",)),),
        )
    ),
    "a private server sees a private address": case(
        run(
            target("stun:10.0.0.5:3478"),
            binding("stun:10.0.0.5:3478", "10.0.0.5:3478", answered("10.0.0.5:3478", xor_mapped=at("10.0.0.7:1"))),
        )
    ),
    "one server of three is reached by a tunnel and sees that one's address": case(
        run(
            target(A),
            target(B),
            target(C),
            binding(A, A4, interface="eth0"),
            binding(B, B4, interface="eth0"),
            binding(C, C4, answered(C4, xor_mapped=at("198.18.0.9:4000")), interface="wg0"),
        ),
        "several-ways-out",
    ),
    "one server of three sees another of several public addresses": case(
        run(
            target(A),
            target(B),
            target(C),
            binding(A, A4),
            binding(A, A4, answered(A4, xor_mapped=at("198.18.0.9:4001")), socket="a", local=at("192.168.1.4:5001")),
            binding(B, B4),
            binding(C, C4, answered(C4, xor_mapped=at("198.18.0.9:4000")), socket="c", local=at("192.168.1.4:5002")),
        ),
        "nat-arbitrary-pooling",
    ),
    "one server of three sees another public address": case(
        run(
            target(A),
            target(B),
            target(C),
            binding(A, A4),
            binding(B, B4),
            binding(C, C4, answered(C4, xor_mapped=at("198.18.0.9:4000"))),
        ),
        "mapped-address-outvoted",
        "nat-servers-contradict",
    ),
    "addresses of two families do not contradict each other": case(
        run(
            target(A),
            target(B),
            target(C),
            binding(A, A4),
            binding(B, B4),
            binding(C, A6),
        )
    ),
    "two servers that see different addresses outvote nobody": case(
        run(target(A), target(B), binding(A, A4), binding(B, B4, answered(B4, xor_mapped=at("198.18.0.9:4000"))))
    ),
    "MAPPED-ADDRESS differs from XOR-MAPPED-ADDRESS": case(one(mapped=at("198.18.0.9:4000")), "address-rewritten"),
    "two of five samples are lost": case(
        run(target(A), *(binding(A, A4) for _ in range(3)), *(binding(A, A4, failed()) for _ in range(2))),
        "stun-loss",
    ),
    "a TCP connection that died after an answer is no loss": case(
        run(
            target("turn:turn.example.org?transport=tcp", credential=SHAPE),
            *(
                binding("turn:turn.example.org?transport=tcp", A4, exchange, transport=Transport.TCP)
                for exchange in (None, failed())
            ),
        )
    ),
    "a server that refused once and then answered is judged by its answer": case(
        run(target(A), binding(A, A4, refused(A4, 500)), binding(A, A4))
    ),
    "a sample that the deadline cut off is not lost": case(
        run(target(A), binding(A, A4), binding(A, A4, failed(Failure.DEADLINE))), "deadline-reached"
    ),
    "the server is 700 ms away": case(
        run(
            target(A),
            binding(A, A4, Exchange(sent_ms=(0.0,), answers=(GOOD,), rtt_ms=700.0)),
        ),
        "server-far",
    ),
    "the server names its software": case(one(software="Coturn-4.6.1 'Gorst'"), "server-software"),
    "a TURN server wants a password for STUN, too": case(
        run(TURN.target(), TURN.binding(refused(TURN.address, 401)), TURN.challenge()), "binding-needs-credentials"
    ),
    "a TURN server is silent to STUN and answers TURN": case(
        run(TURN.target(), TURN.binding(failed()), TURN.challenge()), "turn-no-binding"
    ),
    # --- how answers come
    "something else came beside the answer": case(
        sent(1, GOOD, strays=(stray("not-stun"), stray("duplicate")), stray_count=2),
        "stray-datagrams",
        "answer-duplicated",
    ),
    "the server floods": case(sent(1, GOOD, stray_count=500), "server-floods"),
    "an answer has 64 KiB": case(
        sent(1, GOOD, strays=(stray("wrong-transaction-id", 65507),), stray_count=1),
        "answer-oversized",
        "stray-datagrams",
    ),
    "an answer came in time and another one late": case(
        run(
            target(A),
            binding(A, A4),
            binding(A, A4, failed(answers=(answer(A4, xor_mapped=at(PUBLIC), late=True),))),
        ),
        "answer-late",
        "stun-loss",
    ),
    "one request was answered twice": case(sent(1, GOOD, GOOD), "answer-duplicated"),
    "each of two transmissions was answered once": case(sent(2, GOOD, GOOD)),
    "the answer is badly formed": case(one(problems=("attribute 0x8022 is cut off",)), "answer-malformed"),
    "the fingerprint is wrong": case(one(fingerprint="invalid"), "fingerprint-invalid"),
    # --- NAT tests
    "CHANGE-REQUEST is refused": case(
        run(target(A), binding(A, A4), changed(failed(answers=(answer(A4, success=False, error_code=420),)))),
        "stun-refuses-change-request",
    ),
    "CHANGE-REQUEST is ignored": case(
        run(
            target(A),
            binding(A, A4),
            changed(failed(answers=(answer(A4, xor_mapped=at(PUBLIC), expected_source=False),))),
            changed(failed(), change="port"),
        ),
        "stun-ignores-change-request",
    ),
    "OTHER-ADDRESS is private": case(one(other_address=at("10.0.0.5:3479")), "stun-other-address-implausible"),
    "OTHER-ADDRESS is of another family": case(
        one(other_address=at("[2001:db8::11]:3479")), "stun-other-address-implausible"
    ),
    "OTHER-ADDRESS has the same address": case(
        one(other_address=at("198.51.100.10:3479")), "stun-other-address-implausible"
    ),
    "OTHER-ADDRESS has the same port": case(
        one(other_address=at("198.51.100.11:3478")), "stun-other-address-implausible"
    ),
    "OTHER-ADDRESS has port 0": case(one(other_address=at("198.51.100.11:0")), "stun-other-address-implausible"),
    "the alternate address answers": case(
        run(
            target(A),
            binding(A, A4, answered(A4, xor_mapped=at(PUBLIC), other_address=at(OTHER))),
            binding(A, OTHER, role="alternate-address-and-port", purpose="mapping"),
        )
    ),
    "the alternate address is silent": case(
        run(
            target(A),
            binding(A, A4, answered(A4, xor_mapped=at(PUBLIC), other_address=at(OTHER))),
            binding(A, OTHER, failed(), role="alternate-address-and-port", purpose="mapping"),
        ),
        "stun-alternate-silent",
    ),
    "the alternate address of one server is silent, that of another one answers": case(
        run(
            target(A),
            target(B),
            binding(A, A4, answered(A4, xor_mapped=at(PUBLIC), other_address=at(OTHER))),
            binding(A, OTHER, role="alternate-address-and-port", purpose="mapping"),
            binding(B, B4),
            binding(B, "198.51.100.21:3479", failed(), role="alternate-address-and-port", purpose="mapping"),
        )
    ),
    "a changed answer that does not come is the NAT's filter, not the server's silence": case(
        run(
            target(A),
            binding(A, A4, answered(A4, xor_mapped=at(PUBLIC), other_address=at(OTHER))),
            changed(failed(), role="alternate-port"),
        )
    ),
    "a changed answer comes from where it was asked for": case(
        run(
            target(A),
            binding(A, A4, answered(A4, xor_mapped=at(PUBLIC), other_address=at(OTHER))),
            changed(answered(OTHER, xor_mapped=at(PUBLIC))),
        )
    ),
    "a NAT test was wanted and no server has a second address": case(
        run(target("stun:127.0.0.1:3478"), binding("stun:127.0.0.1:3478", "127.0.0.1:3478", purpose="mapping")),
        "no-nat-behavior-server",
        "only-this-computer-asked",
    ),
    "a TCP answer is judged like one over UDP": case(
        run(
            target("stuns:stun.example.org"),
            binding("stuns:stun.example.org", A6, answered(A6), transport=Transport.TLS),
        ),
        "binding-without-address",
    ),
}
