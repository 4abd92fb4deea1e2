"""The matrix as a whole: which codes have been seen to come from a real fault, and which could not be made."""

import pytest

from lab.codes import test_answers, test_credentials, test_networks, test_servers, test_turn
from lab.faults.test_matrix import ROWS as FAULTS
from rtcdiag.findings import Severity, catalogue

pytestmark = pytest.mark.lab

MODULES = (test_servers, test_credentials, test_turn, test_answers, test_networks)
ROWS = [*(row for module in MODULES for row in module.ROWS.values()), *FAULTS.values()]
NOT_MADE = {
    "captive-portal": "needs a network with a sign-in page: lab/detector has several",
    "dns-all-names-alike": "needs a network with a resolver that makes names up: lab/detector has one",
    "network-operation-failed": "stands for errors of the operating system that nobody has words for",
    "stream-unfinished": "needs a server that dawdles: lab/tls has several",
    "tls-certificate-invalid": "stands for verdicts of the verifier that nobody has words for",
    "dtls-handshake-failed": "is said by turns-over-udp, which owns it: lab/tls has several",
    "dtls-silent": "is said by turns-over-udp, which owns it: lab/tls has one",
    "tls-certificate-weak": "needs a weak key: lab/tls has one",
    "tls-certificates-too-large": "needs a chain that nobody reads to its end: lab/tls has one",
    "tls-failed": "stands for failures of the handshake that nobody has words for",
    "turn-channel-too-short": "needs a soak test: lab/turn/test_lasting.py has it",
    "turn-ice-agents-fail": "needs --ice: lab/turn/test_ice.py has it",
    "turn-not-renewed": "needs a server that refuses to renew what it granted, which no real one does",
    "turn-permission-too-short": "needs a soak test: lab/turn/test_lasting.py has it",
    "turn-soak-data-stopped": "needs a soak test: lab/turn/test_lasting.py has it",
    "turn-soak-mapping-changed": "needs a soak test: lab/turn/test_lasting.py has it",
    "turn-relay-to-relay-silent": "needs a relay that the probe must not send to by itself",
}
"""Errors without a row, and why."""
ELSEWHERE = ("proxy-", "ice-service-", "turn-audit-", "turn-config-", "session-", "browser-")
"""Errors of which lab/proxy, lab/service, lab/connect and the tests of audit-turn have each one."""


def test_every_error_of_the_catalogue_has_a_row_or_a_reason() -> None:
    seen = {row.code for row in ROWS}
    errors = {code for code, entry in catalogue().items() if entry.severity is Severity.ERROR}
    errors = {code for code in errors if not code.startswith(ELSEWHERE)}
    assert errors - seen == set(NOT_MADE)


def test_a_row_breaks_the_stage_that_its_code_is_about() -> None:
    for row in ROWS:
        stage = catalogue()[row.code].stage if row.code else None
        assert not row.stage or stage in {row.stage, "connect"}, row


def test_a_row_that_ends_well_is_about_no_error() -> None:
    for row in ROWS:
        if row.exit == 0 and row.code:
            assert catalogue()[row.code].severity is Severity.WARNING or row.servers == ("warning",), row
