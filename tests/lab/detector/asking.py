"""Many NAT tests in one process inside a lab: `asking.py CASES.json` prints the conclusions as JSON, by case.

A case is a list of URIs; the credentials are those of the environment.
"""

import asyncio
import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

from rtcdiag.address import Family
from rtcdiag.diagnosis import Run, diagnose
from rtcdiag.options import RunOptions
from rtcdiag.planning import plan
from rtcdiag.report import encode
from rtcdiag.run import gather
from rtcdiag.targets import Credential, parse_server

AT_ONCE = int(os.environ.get("RTCDIAG_TEST_AT_ONCE", "4"))
OPTIONS = RunOptions(families=(Family.IPV4,), control=False)


async def asked(uris: list[str], gate: asyncio.Semaphore) -> dict[str, Any]:
    credential = Credential(os.environ.get("RTCDIAG_USERNAME", "lab"), os.environ.get("RTCDIAG_PASSWORD", "wonderland"))
    servers = tuple(parse_server(uri, credential=credential) for uri in uris)
    async with gate:
        began = time.monotonic()
        evidence = await gather(plan("nat-type", servers, OPTIONS), OPTIONS)
        took_s = time.monotonic() - began
    run = Run(id="1", command="nat-type", started_at="2026-11-22T16:00:00.000Z", duration_ms=1000 * took_s)
    report = json.loads(encode(diagnose(evidence, run)))
    told = {key: report[key] for key in ("verdict", "findings", "duration_ms", "not_tested")}
    crashes = [item for item in report["evidence"] if item["kind"] == "Crash"]
    return told | {"nat": report["nat"]["ipv4"], "crashes": crashes, "evidence": len(report["evidence"])}


async def all_asked(cases: dict[str, list[str]]) -> dict[str, dict[str, Any]]:
    gate = asyncio.Semaphore(AT_ONCE)
    results = await asyncio.gather(*(asked(uris, gate) for uris in cases.values()))
    return dict(zip(cases, results, strict=True))


def wait_for(*ends: tuple[str, int]) -> None:
    """Ask each STUN server until it answers: the internet may be slower to start than the host."""
    limit = time.monotonic() + 15
    for end in ends:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(0.1)
            while time.monotonic() < limit:
                sock.sendto(bytes.fromhex("000100002112a442") + os.urandom(12), end)
                try:
                    sock.recv(2048)
                    break
                except OSError:
                    continue
            else:
                raise SystemExit(f"{end} does not answer")


if __name__ == "__main__":
    for text in sys.argv[2:]:
        wait_for((text.partition(":")[0], int(text.partition(":")[2])))
    told = asyncio.run(all_asked(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
    sys.stdout.write(json.dumps(told))
