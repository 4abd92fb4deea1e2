"""The exporter as a process of its own, what it tells of itself, and many scrapes at once."""

import asyncio
import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import msgspec
from prometheus_client.parser import text_string_to_metric_families

from support.process import RTCDIAG

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Exporter(msgspec.Struct, frozen=True):
    """One that serves."""

    url: str
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", headers=headers, timeout=40, trust_env=False)

    def probe(self, target: str, module: str = "relay", **headers: str) -> Samples:
        answer = self.get(f"/probe?target={quote(target, safe='')}&module={module}", **headers)
        assert answer.status_code == 200, answer.text
        return samples(answer.text)

    def own(self, name: str) -> float:
        """Return a metric of its own that has no labels."""
        return samples(self.get("/metrics").text)[name, frozenset()]

    def wait_until_idle(self, timeout_s: float = 8.0) -> bool:
        """Wait, bounded, until it does nothing any more: whether that came true."""
        end = time.monotonic() + timeout_s
        while self.own("rtcdiag_exporter_checks_in_progress") and time.monotonic() < end:
            time.sleep(0.05)
        return self.own("rtcdiag_exporter_checks_in_progress") == 0


def samples(text: str) -> Samples:
    """Return what an exposition holds."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@contextlib.contextmanager
def exporting(config: Path, *arguments: str, said: str = "") -> Iterator[Exporter]:
    """Serve on loopback until the block ends; what it wrote to its standard error must be what was `said`."""
    command = [RTCDIAG, "serve", "exporter", str(config), "--port", "0", *arguments]
    # In a session of its own no terminal controls it, whoever runs the tests.
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            yield Exporter(process.stdout.readline().strip(), process)
        finally:
            process.terminate()
            _, errors = process.communicate(timeout=15)
    assert errors == said, errors


def target(name: str, uri: str, password: str = "wonderland") -> str:
    """Return a target of a configuration in TOML."""
    return f'[targets.{name}]\nurls = "{uri}"\nusername = "alice"\ncredential = "{password}"\n'


@contextlib.contextmanager
def silent(count: int) -> Iterator[list[int]]:
    """Offer so many UDP ports of loopback at which nobody reads."""
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(count)]
        for sock in socks:
            sock.bind(("127.0.0.1", 0))
        yield [sock.getsockname()[1] for sock in socks]


class Load(msgspec.Struct, frozen=True):
    """What many scrapes at once took."""

    took_s: tuple[float, ...]
    codes: tuple[int, ...]
    """By scrape; 0 where there was none in time."""
    works: tuple[tuple[str, bool], ...]
    """By scrape that was answered: which target, and whether it works."""


async def load(url: str, targets: Sequence[str], *, clients: int, lasts_s: float, timeout_s: float) -> Load:
    """Scrape as so many Prometheus servers would without a pause, each the targets one after the other."""
    took: list[float] = []
    codes: list[int] = []
    works: list[tuple[str, bool]] = []
    headers = {"X-Prometheus-Scrape-Timeout-Seconds": f"{timeout_s:g}"}
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx.AsyncClient(limits=limits, timeout=2 * timeout_s, trust_env=False, headers=headers) as client:
        end_s = time.monotonic() + lasts_s

        async def scrape(first: int) -> None:
            number = first
            while time.monotonic() < end_s:
                name = targets[number % len(targets)]
                began_s = time.monotonic()
                try:
                    answer = await client.get(f"{url}/probe?target={quote(name)}&module=relay")
                    codes.append(answer.status_code)
                    if answer.status_code == 200:
                        works.append((name, "\nprobe_success 1.0\n" in answer.text))
                except httpx.HTTPError:
                    codes.append(0)
                took.append(time.monotonic() - began_s)
                number += clients + 1

        await asyncio.gather(*map(scrape, range(clients)))
    return Load(tuple(took), tuple(codes), tuple(works))
