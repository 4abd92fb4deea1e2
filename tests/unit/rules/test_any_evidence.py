"""Whatever was seen, rules end with findings, and findings are well formed."""

import inspect
from importlib import import_module
from pkgutil import iter_modules
from typing import get_args

import msgspec
from hypothesis import HealthCheck, given, settings

import rtcdiag.rules
from rtcdiag.evidence import Evidence
from rtcdiag.evidence.quality import Way
from rtcdiag.formats.tables.quality import WAY
from rtcdiag.rules import RULES, quality
from support.evidence import evidences

NO_RULES = {"paths", "answers", "expiry"}
"""Modules that rules ask, and that judge nothing."""


def test_every_rule_is_registered_once() -> None:
    modules = [module.name for module in iter_modules(rtcdiag.rules.__path__) if module.name not in NO_RULES]
    defined = []
    for name in modules:
        module = import_module(f"rtcdiag.rules.{name}")
        for label, item in inspect.getmembers(module, inspect.isfunction):
            if item.__module__ == module.__name__ and list(inspect.signature(item).parameters) == ["evidence"]:
                defined += [] if label.startswith("_") else [item]
    assert sorted(map(repr, defined)) == sorted(map(repr, RULES))


def test_nothing_seen_is_nothing_found() -> None:
    assert [finding.code for rule in RULES for finding in rule(Evidence())] == []


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(evidences)
def test_no_evidence_makes_a_rule_raise_and_every_finding_is_json_about_it(evidence: Evidence) -> None:
    ids = {item.id for item in evidence.observations}
    for rule in RULES:
        for finding in rule(evidence):
            assert set(finding.evidence) <= ids
            assert len(finding.title) < 400
            assert msgspec.json.decode(msgspec.json.encode(finding.facts)) == finding.facts
            if {"address", "transport"} & set(finding.facts):
                assert finding.subject is not None
                assert finding.facts["transport"] in ("udp", "tcp", "tls", "dtls")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(evidences)
def test_rules_have_no_memory(evidence: Evidence) -> None:
    for rule in RULES:
        assert list(rule(evidence)) == list(rule(evidence))


def test_every_way_of_a_stream_has_words() -> None:
    assert set(quality._WAYS) == set(get_args(Way)) == set(WAY)
