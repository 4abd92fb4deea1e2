"""Debian's miniupnpd on a router of `support.netns`, with a configuration made for one test."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from support.netns import Router

READY_S = 10.0


@contextlib.contextmanager
def miniupnpd(directory: Path, router: Router, **settings: str) -> Iterator[Path]:
    """Run it until the block ends; give its log. `settings` stand over the defaults, which switch everything on."""
    chosen = {
        "ext_ifname": "wan",
        "listening_ip": "lan",
        "enable_upnp": "yes",
        "enable_natpmp": "yes",
        "uuid": "5bcbeffe-14cb-462b-9fd9-59f4e502bcdf",
        "allow": "1024-65535 0.0.0.0/0 1024-65535",
        **settings,
    }
    directory.mkdir(parents=True, exist_ok=True)
    log, config = directory / "miniupnpd.log", directory / "miniupnpd.conf"
    config.write_text("".join(f"{name}{' ' if name in _RULES else '='}{value}\n" for name, value in chosen.items()))
    command: list[str | Path] = ["miniupnpd", "-d", "-f", config, "-P", directory / "pid"]
    with router.running(command, log=log) as process:
        end = time.monotonic() + READY_S
        while not _is_ready(router, chosen):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.02)
        yield log


_RULES = ("allow", "deny")


def _is_ready(router: Router, settings: dict[str, str]) -> bool:
    """Tell whether everything that is switched on listens."""
    open_ports = router.run(["ss", "-Hlnu"], timeout=10).stdout
    wanted = {":1900 ": settings["enable_upnp"], ":5351 ": settings["enable_natpmp"]}
    return all(port in open_ports for port, value in wanted.items() if value == "yes")
