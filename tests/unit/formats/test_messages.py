"""Every message, decoded, with what was lost, late or unexpected."""

import msgspec

from rtcdiag.evidence import Binding, Evidence, Exchange, Failure, Hairpin, Sent, Stray
from rtcdiag.formats import RenderOptions, render
from rtcdiag.formats.messages import Line, attributes, messages
from rtcdiag.report import raw_evidence
from support.hostile import HOSTILE, poisoned
from support.observations import answer, at, binding
from support.reports import REPORTS, opt_in

URI, SERVER, ELSEWHERE, HERE = "stun:192.0.2.1", "192.0.2.1:3478", "192.0.2.9:9", "192.168.1.4:5000"
ASKED = Sent(method="Binding", transaction_id="0f" * 12, size_bytes=28)


def asked(exchange: Exchange) -> Binding:
    return binding(URI, SERVER, exchange, 5.0, local=at(HERE))


def told(exchange: Exchange) -> list[Line]:
    return list(messages(asked(exchange)))


def texts(exchange: Exchange) -> list[str]:
    return [line.text for line in told(exchange)]


def test_a_request_and_its_answer_tell_when_from_where_to_where_and_what() -> None:
    came = answer(26.0, SERVER, xor_mapped=at("203.0.113.7:5000"))
    request, response = told(Exchange(request=ASKED, sent_ms=(5.0,), answers=(came,)))

    assert request == Line(
        5.0,
        f"→ Binding request, 28 bytes from {HERE} to {SERVER}",
        details=(f"transaction {'0f' * 12}", "FINGERPRINT"),
    )
    assert (response.t_ms, response.text) == (26.0, f"← Binding success response, 96 bytes from {SERVER} to {HERE}")
    assert "XOR-MAPPED-ADDRESS 203.0.113.7:5000" in response.details


def test_transmissions_answers_and_strays_stand_in_the_order_of_time() -> None:
    stray = Stray(t_ms=50.0, source=at(ELSEWHERE), size_bytes=1, why="not-stun")
    exchange = Exchange(sent_ms=(5.0, 105.0), answers=(answer(126.0, SERVER),), strays=(stray,), stray_count=1)

    assert [line.t_ms for line in told(exchange)][:4] == [5.0, 50.0, 105.0, 126.0]
    assert "→ the same again, 2 of 2" in texts(exchange)
    assert f"← 1 byte from {ELSEWHERE}: unexpected, not STUN" in texts(exchange)


def test_what_was_lost_is_counted_and_a_copy_of_the_answer_is_no_loss() -> None:
    copy = Stray(t_ms=127.0, source=at(SERVER), size_bytes=96, why="duplicate")
    once = Exchange(sent_ms=(5.0, 105.0), answers=(answer(126.0, SERVER),))
    twice = msgspec.structs.replace(once, strays=(copy,), stray_count=1)

    assert "1 of 2 transmissions got no answer" in texts(once)
    assert not any("got no answer" in text for text in texts(twice))
    assert any(text.endswith("the same answer again") for text in texts(twice))


def test_an_answer_that_does_not_count_says_why() -> None:
    odd = answer(9000.0, ELSEWHERE, expected_source=False, late=True)

    assert texts(Exchange(sent_ms=(5.0,), answers=(odd,)))[1].endswith(
        "from elsewhere than asked: it does not count, too late"
    )


def test_silence_says_how_it_ended_and_a_flood_how_large_it_was() -> None:
    refused = Exchange(sent_ms=(5.0,), failure=Failure.CONNECTION_REFUSED, refused_by="192.0.2.7", stray_count=900)

    assert texts(refused)[1:] == [
        "← 900 more that were unexpected",
        "no answer in time: connection refused, told by 192.0.2.7",
    ]


def test_what_no_field_tells_stands_among_the_attributes_and_an_old_name_once() -> None:
    old = answer(
        1.0,
        SERVER,
        other_address=at(ELSEWHERE),
        response_origin=at(SERVER),
        nonce=True,
        more_attributes=(f"CHANGED-ADDRESS {ELSEWHERE}", "NONCE 01234567… (16 bytes)", "0x8050 3 bytes"),
    )

    names = [text.partition(" ")[0] for text in attributes(old)]
    assert names == ["RESPONSE-ORIGIN", "CHANGED-ADDRESS", "NONCE", "0x8050", "SOFTWARE", "FINGERPRINT"]


def test_an_unsigned_or_broken_answer_says_so() -> None:
    said = list(attributes(answer(1.0, SERVER, integrity="absent", problems=("REALM is repeated",))))

    assert "no MESSAGE-INTEGRITY: the answer is not signed" in said
    assert "wrong: REALM is repeated" in said


def test_the_messages_of_transactions_inside_an_experiment_are_found() -> None:
    (hairpin,) = (item for item in opt_in() if isinstance(item, Hairpin))

    assert sum(line.text.startswith("→ request") for line in messages(hairpin)) == 4


def test_a_report_of_an_earlier_version_still_shows_what_it_has() -> None:
    report = msgspec.structs.replace(
        REPORTS["empty"](), evidence=raw_evidence_of(asked(Exchange(sent_ms=(5.0,), answers=(answer(26.0, SERVER),))))
    )

    assert f"→ request from {HERE} to {SERVER}" in " ".join(
        render("text", report, RenderOptions(verbosity=2, width=120)).split()
    )


def raw_evidence_of(item: Binding) -> tuple[msgspec.Raw, ...]:
    return raw_evidence(Evidence(observations=(item,)))


def test_terminal_escapes_in_attributes_are_shown_and_not_obeyed() -> None:
    text = render("text", poisoned(REPORTS["everything"](), HOSTILE["window title"]), RenderOptions(verbosity=2))

    assert "\x1b" not in text
    assert "\\x1b]0;owned\\x07" in text
