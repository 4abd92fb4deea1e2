"""What a scrape is answered, in Prometheus' formats, and the page."""

import math
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain

from rtcdiag.exporter.metrics import Probed, exposition
from rtcdiag.exporter.page import index
from rtcdiag.formats.health import render
from rtcdiag.formats.options import RenderOptions
from rtcdiag.health import HealthResult, unchecked
from support.evidence import binding, failed, run
from support.health import STARTED, TURN, health_target, healthy, result, round_of

EVIL = 'evil"\\\n\x1b[31m# TYPE x gauge\u202e<b>'
OK = healthy(name="fra")
BAD = result(run(TURN.target(), binding(TURN.uri, TURN.address, failed())), health_target(name="par"))
LATER = unchecked(health_target(name="later"), depth="relay", started_at=STARTED, why="it was cut off")


def told(*results: HealthResult, accept: str = "") -> str:
    return exposition(Probed(results, 0.25), accept)[0].decode()


def values(text: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for family in plain(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.value)
    return found


@pytest.mark.parametrize(
    ("results", "works"), [((OK,), 1), ((OK, BAD), 0), ((OK, LATER), 0), ((LATER,), 0), ((BAD,), 0)]
)
def test_a_target_succeeds_where_every_uri_of_it_works(results: tuple[HealthResult, ...], works: int) -> None:
    found = values(told(*results))
    assert found["probe_success"] == [works]
    assert found["probe_duration_seconds"] == [0.25]


def test_what_was_not_tested_is_neither_a_success_nor_a_failure() -> None:
    found = values(told(LATER))
    assert "rtcdiag_probe_success" not in found
    assert found["rtcdiag_probe_tested"] == [0]


def test_a_scrape_and_the_textfile_tell_the_same() -> None:
    written = "".join(render("prometheus", round_of(OK, BAD), RenderOptions()))
    of_run = [line for line in written.splitlines() if "rtcdiag_health" in line]
    file, scraped = values(written), values(told(OK, BAD))
    assert of_run
    targets = {name: file[name] for name in file if not name.startswith("rtcdiag_health")}
    assert list(targets) == [name for name in scraped if name.startswith("rtcdiag")]
    for name, numbers in targets.items():
        assert scraped[name] == pytest.approx(numbers)


def test_prometheus_gets_open_metrics_where_it_asks_for_it() -> None:
    accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2"
    body, content_type = exposition(Probed((OK, BAD), 0.25), accept)
    assert content_type.startswith("application/openmetrics-text")
    names = [family.name for family in open_metrics(body.decode())]  # type: ignore[no-untyped-call]  # theirs
    assert "rtcdiag_probe_success" in names
    assert len(names) == len(set(names))


def test_a_name_cannot_break_out_of_its_label_or_out_of_the_page() -> None:
    found = [sample for family in plain(told(healthy(name=EVIL))) for sample in family.samples]
    names = {sample.labels["target"] for sample in found if "target" in sample.labels}
    assert len(names) == 1
    assert names.pop().isprintable()
    assert all(not math.isnan(sample.value) for sample in found)
    page = index({EVIL: [health_target()]})
    assert "<b>" not in page
    assert "\x1b" not in page


def test_the_page_is_bounded() -> None:
    page = index({f"target{number}": [health_target()] for number in range(5000)})
    assert "and 4000 more" in page
    assert len(page) < 500_000


def test_no_module_of_the_command_line_pays_for_the_exporter() -> None:
    source = Path(__file__).parents[3] / "rtcdiag" / "cli" / "serve_exporter.py"
    top = [line for line in source.read_text().splitlines() if line.startswith(("import ", "from "))]
    assert not [line for line in top if "prometheus_client" in line or "starlette" in line or "exporter" in line]
