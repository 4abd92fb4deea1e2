"""The alerts, the dashboard and the table of metrics name metrics that exist, and no metric is left out."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import pytest
import yaml

from rtcdiag.exporter.checks import Checks
from rtcdiag.exporter.own import Own
from rtcdiag.exporter.reading import Reading
from rtcdiag.formats.health import render
from rtcdiag.formats.health.prometheus import FAMILIES
from rtcdiag.formats.options import RenderOptions
from support.health import healthy, round_of

DOCS = Path(__file__).parents[3] / "docs"
BLACKBOX = {"probe_success", "probe_duration_seconds", "probe_ssl_earliest_cert_expiry"}
GRAFANA = {"stat", "state-timeline", "table", "timeseries"}
_NAME = re.compile(r"\b(?:rtcdiag|probe|process)_[a-z_]+\b")


async def own() -> set[str]:
    checks = create_autospec(Checks, instance=True, scrapes=0, under_way=0, targets={})
    counted = Own(checks, create_autospec(Reading, instance=True, successful=True, succeeded_at_s=0.0))
    counted.refused("busy")
    counted.probed("relay", (healthy(),), 0.1)
    families = [family for family in counted.registry.collect() if not family.name.startswith("process_")]
    suffixes = {"counter": "_total", "info": "_info"}
    return {family.name + suffixes.get(family.type, "") for family in families}


def of_run() -> set[str]:
    text = "".join(render("prometheus", round_of(healthy()), RenderOptions()))
    return set(re.findall(r"^# TYPE (rtcdiag_health\w+)", text, re.MULTILINE))


SCRAPED = {family.name for family in FAMILIES}


def known() -> set[str]:
    return SCRAPED | BLACKBOX | asyncio.run(own()) | of_run()


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DOCS / "dashboard.json").read_text())
    return found


def expressions(tree: Any) -> list[str]:
    if isinstance(tree, dict):
        here = [tree["expr"]] if "expr" in tree else [tree["definition"]] if "definition" in tree else []
        return here + [one for item in tree.values() for one in expressions(item)]
    return [one for item in tree for one in expressions(item)] if isinstance(tree, list) else []


def metrics(texts: list[str]) -> set[str]:
    return {name for text in texts for name in _NAME.findall(text)} - {"process_open_fds"}


def test_the_table_has_every_metric_and_no_other() -> None:
    text = (DOCS / "exporter.md").read_text()
    assert metrics([text]) - {"process_resident_memory_bytes"} == known()


def test_every_metric_of_an_alert_exists() -> None:
    tree = yaml.safe_load((DOCS / "alerts.yml").read_text())
    named = metrics(expressions(tree))
    assert named
    assert named <= known()


def test_every_alert_has_a_test() -> None:
    tree = yaml.safe_load((DOCS / "alerts.yml").read_text())
    names = {rule["alert"] for group in tree["groups"] for rule in group["rules"]}
    tests = yaml.safe_load((DOCS / "alerts.test.yml").read_text())["tests"]
    raised = {one["alertname"] for test in tests for one in test["alert_rule_test"] if one["exp_alerts"]}
    assert raised == names


def test_every_metric_of_the_dashboard_exists() -> None:
    named = metrics(expressions(dashboard()))
    assert named <= known()
    assert named >= SCRAPED - {"rtcdiag_credential_expiry_timestamp_seconds"}


def test_the_panels_of_the_dashboard_have_their_own_place() -> None:
    found = dashboard()
    assert {panel["type"] for panel in found["panels"]} <= GRAFANA
    assert len({panel["id"] for panel in found["panels"]}) == len(found["panels"])
    cells = [
        (place["x"] + x, place["y"] + y)
        for place in (panel["gridPos"] for panel in found["panels"])
        for x in range(place["w"])
        for y in range(place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert all(panel["datasource"]["uid"] == "${datasource}" and panel["description"] for panel in found["panels"])


@pytest.mark.parametrize("name", ["dashboard.json", "alerts.yml", "prometheus.yml"])
def test_nothing_that_people_copy_names_an_outside_host(name: str) -> None:
    assert not re.search(r"https?://(?!127\.0\.0\.1)", (DOCS / name).read_text())
