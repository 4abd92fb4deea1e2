"""The committed examples are reports that today's program reads, and it still says the same of them."""

from pathlib import Path

import pytest

from rtcdiag.diagnosis import rediagnose
from rtcdiag.formats.embedded import extract_json
from rtcdiag.report import decode

EXAMPLES = Path(__file__).parents[2] / "reports" / "examples"
VERDICTS = {
    "healthy": ("healthy", "depends-on-peer"),
    "symmetric-nat": ("healthy", "depends-on-peer"),
    "udp-blocked": ("degraded", "relay-needed"),
    "wrong-password": ("broken", "depends-on-peer"),
    "expired-certificate": ("broken", "depends-on-peer"),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_an_example_is_diagnosed_again_to_what_it_shows(name: str) -> None:
    saved = decode(EXAMPLES.joinpath(f"{name}.json").read_bytes())
    again, unknown = rediagnose(saved)

    assert unknown == 0
    assert (again.verdict.status, again.verdict.direct_p2p) == VERDICTS[name]
    assert [finding.code for finding in again.findings] == [finding.code for finding in saved.findings]


@pytest.mark.parametrize("name", VERDICTS)
def test_an_example_is_the_same_in_its_html(name: str) -> None:
    html = EXAMPLES.joinpath(f"{name}.html").read_text(encoding="utf-8")

    assert decode(extract_json(html)).id == decode(EXAMPLES.joinpath(f"{name}.json").read_bytes()).id


def test_there_is_no_example_that_is_not_shown() -> None:
    assert {path.name for path in EXAMPLES.iterdir()} == {f"{n}.{s}" for n in VERDICTS for s in ("json", "html", "md")}
