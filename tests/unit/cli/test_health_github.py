"""What GitHub is told besides: what to mask, and the step's summary."""

from pathlib import Path

import pytest

from rtcdiag.cli.health_options import HealthOutput
from rtcdiag.cli.health_outputs import Outlet
from rtcdiag.config import HealthConfig, Secret
from support.health import health_target, healthy, round_of

CONFIG = HealthConfig(
    targets=(health_target(), health_target(secret=Secret("north")), health_target(secret=Secret("x")))
)


def masked(capsys: pytest.CaptureFixture[str], output: HealthOutput) -> str:
    Outlet(output, "servers.json").mask(CONFIG)
    return capsys.readouterr().out


def test_credentials_are_masked_before_anything_else_and_only_in_an_action(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert masked(capsys, HealthOutput(format="github")) == "::add-mask::hunter2\n::add-mask::north\n"
    assert masked(capsys, HealthOutput()) == ""
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert masked(capsys, HealthOutput(format="github")) == ""


def test_the_summary_is_added_to_that_of_the_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "summary.md"
    path.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    Outlet(HealthOutput(format="github"), "servers.json").write(round_of(healthy()))
    assert path.read_text().startswith("before\n## ICE servers: healthy\n")
