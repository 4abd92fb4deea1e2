"""HTTPS services for tests, as processes: on loopback or in a namespace, with their own clock where one is given."""

import contextlib
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.ca import Certificate
from support.process import running

SCRIPT = Path(__file__).with_name("https_service.py")
READY_S = 15.0


@dataclass(frozen=True)
class Service:
    """A running service."""

    port: int
    log: Path

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Return what it was asked, in order."""
        return [json.loads(line) for line in self.log.read_text().splitlines()[1:] if line.startswith("{")]


@contextlib.contextmanager
def service(
    directory: Path,
    answers: Mapping[str, Any],
    *,
    certificate: Certificate | None,
    host: str = "127.0.0.1",
    port: int = 0,
    prefix: Sequence[str] = (),
) -> Iterator[Service]:
    """Run a service until the block ends; without a certificate it speaks HTTP."""
    directory.mkdir(parents=True, exist_ok=True)
    told, log = directory / "answers.json", directory / "requests.log"
    told.write_text(json.dumps(answers))
    files = (certificate.chain_file, certificate.key_file) if certificate else ("", "")
    with running([*prefix, sys.executable, "-S", SCRIPT, host, str(port), *files, told], log=log) as process:
        end = time.monotonic() + READY_S
        while not (first := log.read_text().partition("\n")[0]).isdigit():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.02)
        yield Service(int(first), log)
