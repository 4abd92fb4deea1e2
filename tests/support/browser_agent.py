"""One of two real browsers, which exchange their descriptions through a directory: what ``ice_agent.py`` is for aioice.

``python browser_agent.py DIRECTORY TRIES SECONDS direct|relay``: on side ``RTCDIAG_LAB_SIDE`` of a lab's pair. Starts
headless Chromium on a page from loopback, whose script makes the peer connection and asks this program for what the
other side wrote. Prints a JSON object: whether they connected, in which try, between which candidates,
and through which states ICE went in the last one.
"""

import json
import os
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any

SIDE = os.environ["RTCDIAG_LAB_SIDE"]
OTHER = {"a": "b", "b": "a"}[SIDE]
PAGE = Path(__file__).with_name("browser_agent.html")
CHROMIUM = (
    "chromium",
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
START_S = 60.0
"""A browser on a busy machine."""


class Meeting:
    """What the two pages and the two programs know."""

    def __init__(self, directory: Path, tries: int, seconds: float, means: str) -> None:
        self._directory, self._means = directory, means
        self._result: dict[str, Any] = {}
        self._over = Event()
        self.settings = {"side": SIDE, "tries": tries, "seconds": seconds, "iceServers": _servers(means)}

    def tell(self, name: str, value: Any) -> None:
        """Take what the page says: a piece for the other side, or its result."""
        if name == "result":
            self._result = value
            self._over.set()
            return
        path = self._directory / f"browser-{SIDE}-{self._means}-{name}"
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(value))
        fresh.rename(path)

    def ask(self, name: str) -> Any:
        """Return what the other side's page said, None where nothing yet."""
        path = self._directory / f"browser-{OTHER}-{self._means}-{name}"
        return json.loads(path.read_text()) if path.exists() else None

    def result(self, seconds: float) -> dict[str, Any]:
        """Wait for the page's last word."""
        if not self._over.wait(seconds):
            raise SystemExit(f"{SIDE}: the page did not end")
        return self._result


def _servers(means: str) -> list[dict[str, Any]]:
    stun = os.environ["RTCDIAG_LAB_STUN"]
    if means == "direct":
        return [{"urls": stun}]
    over = os.environ.get(f"PAIR_TRANSPORT_{SIDE.upper()}", "udp")
    login = {"username": os.environ["RTCDIAG_USERNAME"], "credential": os.environ["RTCDIAG_PASSWORD"]}
    return [{"urls": stun}, {"urls": f"{os.environ['RTCDIAG_LAB_TURN']}?transport={over}", **login}]


def handler(meeting: Meeting) -> type[BaseHTTPRequestHandler]:
    """Return what answers the page: itself, the settings, and the other side's pieces."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/":
                self._answer(PAGE.read_bytes(), "text/html; charset=utf-8")
            elif self.path == "/settings":
                self._answer(json.dumps(meeting.settings).encode(), "application/json")
            else:
                self._answer(json.dumps(meeting.ask(Path(self.path).name)).encode(), "application/json")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            meeting.tell(Path(self.path).name, json.loads(body))
            self._answer(b"{}", "application/json")

        def log_message(self, *_: object) -> None:
            """Say nothing: the standard output is for the result."""

        def _answer(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Answers


def main() -> None:
    directory, tries, seconds, means = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
    meeting = Meeting(directory, tries, seconds, means)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(meeting))
    Thread(target=server.serve_forever, daemon=True).start()
    # The browser's own children may still write when it has ended.
    with TemporaryDirectory(ignore_cleanup_errors=True) as home:
        line = [*CHROMIUM, f"--user-data-dir={home}", "--remote-debugging-port=0"]
        address = f"http://127.0.0.1:{server.server_port}/"
        env = {**os.environ, "HOME": home}
        quiet = subprocess.DEVNULL
        browser = subprocess.Popen([*line, address], stdout=quiet, stderr=quiet, env=env)
        try:
            found = meeting.result(START_S + tries * (seconds + 30))
            time.sleep(0.5)  # the other page hears the last answer
        finally:
            browser.terminate()
            browser.wait(20)
    server.shutdown()
    sys.stdout.write(json.dumps(found))


main()
