"""The wheel, built and installed into an empty environment with only what it says it requires."""

import json
import sys
import sysconfig
import time
import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path

import pytest
from installer import install
from installer.destinations import SchemeDictionaryDestination
from installer.sources import WheelFile
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support.process import run, running

ROOT = Path(__file__).parents[2]


def required(wanted: Distribution) -> Iterator[Distribution]:
    """Yield what a distribution requires here, without extras, and what that requires, as installed here."""
    seen, waiting = set[str](), [wanted]
    while waiting:
        for text in waiting.pop().requires or ():
            requirement = Requirement(text)
            name = canonicalize_name(requirement.name)
            if name in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
                continue
            seen.add(name)
            found = distribution(name)
            assert requirement.specifier.contains(found.version, prereleases=True), f"{requirement}: {found.version}"
            waiting.append(found)
            yield found


def lend(lent: Distribution, site: Path) -> None:
    """Make another environment's distribution importable, by links to its files and folders."""
    tops = {file.parts[0] for file in lent.files or () if file.parts[0] != ".."}
    for top in tops - {"__pycache__"}:
        if not (site / top).exists():
            (site / top).symlink_to(Path(str(lent.locate_file(top))))


@pytest.fixture(scope="module")
def rtcdiag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build and install the wheel, and return its command. Nothing is fetched: what it requires is lent from here."""
    dist, environment = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("environment")
    built = run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", dist], cwd=ROOT, timeout=60)
    assert built.returncode == 0, built.stderr
    (wheel,) = dist.glob("*.whl")
    venv.create(environment, with_pip=False)
    paths = sysconfig.get_paths("venv", vars={"base": str(environment), "platbase": str(environment)})
    python = Path(paths["scripts"], Path(sys.executable).name)
    target = SchemeDictionaryDestination(paths, interpreter=str(python), script_kind="posix")
    with WheelFile.open(wheel) as source:
        install(source, target, additional_metadata={})
    site = Path(paths["purelib"])
    (installed,) = site.glob("rtcdiag-*.dist-info")
    for lent in required(PathDistribution(installed)):
        lend(lent, site)
    return Path(paths["scripts"], "rtcdiag")


def test_the_wheel_asks_its_own_server_and_writes_a_report_of_it(rtcdiag: Path, tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    with running([rtcdiag, "serve", "stun", "--port", "0"], log=log) as server:
        uri = first_line(log)
        asked = run(
            [rtcdiag, "report", "--no-control", "--server", uri, "--json", "--reports-dir", tmp_path / "reports"],
            cwd=tmp_path,
            timeout=60,
        )
        assert server.poll() is None, log.read_text()
    # Only this computer was asked, so nothing is concluded: 3.
    assert (asked.returncode, asked.stderr.count("Traceback")) == (3, 0), asked.stderr
    report = json.loads(asked.stdout)
    assert {(row["uri"], row["status"]) for row in report["servers"]} == {(uri, "ok")}
    assert sorted(path.suffix for path in (tmp_path / "reports").iterdir()) == [".html", ".json"]


def test_the_wheel_holds_the_catalogue(rtcdiag: Path) -> None:
    codes = run([rtcdiag, "explain", "--json"])
    assert codes.returncode == 0, codes.stderr
    assert len(json.loads(codes.stdout)) >= 30


def first_line(log: Path) -> str:
    """Wait, bounded, for a server's first line."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        line, newline, _ = log.read_text().partition("\n")
        if newline:
            return line
        time.sleep(0.05)
    raise AssertionError(f"no line from the server: {log.read_text()}")
