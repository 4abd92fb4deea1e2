"""``rtcdiag connect --browser`` and a real browser that opens its page: ``browser_session.py DIRECTORY [OPTION…]``.

In ``rtcdiag lab run``, both on one computer. In ``rtcdiag lab pair``, the browser on a, the program on b; a socket in
DIRECTORY carries the page's loopback from one to the other, as ``ssh -L`` would. Prints JSON: the report, what the
terminal and the page showed, the exit code, and whether anything still listened at the end.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen

from websockets.asyncio.client import connect

SIDE = os.environ.get("RTCDIAG_LAB_SIDE", "")
DIRECTORY = Path(sys.argv[1])
OPTIONS = sys.argv[2:]
BRIDGE, ADDRESS = DIRECTORY / "page.sock", DIRECTORY / "page.url"
RTCDIAG = Path(sys.executable).with_name("rtcdiag")
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
    "--remote-debugging-port=0",
)
LIMIT_S = 90.0
_LOOK_S = 0.1
_SHOWN = "({word: word.textContent, text: document.body.innerText, wide: document.documentElement.scrollWidth})"


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):
        writer.close()


async def both_ways(one: tuple[Any, Any], two: tuple[Any, Any]) -> None:
    await asyncio.gather(pump(one[0], two[1]), pump(two[0], one[1]))


def port_of(url: str) -> int:
    return int(url.split("/")[2].rpartition(":")[2])


async def program(directory: Path) -> dict[str, Any]:
    """Run rtcdiag, tell its address, and return what came of it."""
    report = directory / "session.json"
    line = [str(RTCDIAG), "connect", "--browser", "--no-control", "--no-gateway", "--deadline", "60"]
    line += ["--reports-dir", str(directory / "reports"), "--output", str(report), *OPTIONS]
    process = await asyncio.create_subprocess_exec(*line, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    said, url = "", ""
    while text := (await process.stderr.readline()).decode():
        said += text
        if text.startswith("http://"):
            url = text.strip()
            bridge = await asyncio.start_unix_server(
                partial(_bridged, port_of(url)), path=BRIDGE if SIDE else directory / "unused.sock"
            )
            fresh = ADDRESS.with_suffix(".new")
            fresh.write_text(url)
            fresh.rename(ADDRESS)
    shown = (await process.stdout.read()).decode()
    code = await process.wait()
    bridge.close()
    written = [path.read_text() for path in await asyncio.to_thread(lambda: [report, *directory.glob("reports/*")])]
    return {
        "code": code,
        "said": said,
        "shown": shown,
        "listens": await _listens(port_of(url)),
        "report": json.loads(written[0]),
        "leaks": any(os.environ["RTCDIAG_PASSWORD"] in text for text in (said, shown, *written)),
    }


async def _bridged(port: int, *near: Any) -> None:
    await both_ways(near, await asyncio.open_connection("127.0.0.1", port))


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def browser() -> dict[str, Any]:
    """Open the page, and return what it shows in the end."""
    async with asyncio.timeout(LIMIT_S):
        while not ADDRESS.exists():  # noqa: ASYNC110 - a file tells nobody that it comes
            await asyncio.sleep(_LOOK_S)
        url = ADDRESS.read_text()
        listener = await _far_end(port_of(url)) if SIDE == "a" else None
        # The browser's own children may still write when it has ended.
        with TemporaryDirectory(ignore_cleanup_errors=True) as home:
            quiet = subprocess.DEVNULL
            env = {**os.environ, "HOME": home}
            line = [*CHROMIUM, f"--user-data-dir={home}", url]
            process = subprocess.Popen(line, stdout=quiet, stderr=quiet, env=env)  # noqa: ASYNC220 - it only starts
            try:
                found = await _result(Path(home))
            finally:
                process.terminate()
                await asyncio.to_thread(process.wait, 20)
        if listener is not None:
            listener.close()
        return found


async def _far_end(port: int) -> asyncio.Server:
    async def carry(*near: Any) -> None:
        await both_ways(near, await asyncio.open_unix_connection(BRIDGE))

    return await asyncio.start_server(carry, "127.0.0.1", port)


async def _result(home: Path) -> dict[str, Any]:
    async with connect(await _page(home), max_size=None) as talk:
        await _ask(talk, "Emulation.setDeviceMetricsOverride", width=400, height=900, deviceScaleFactor=1, mobile=True)
        while True:
            answer = await _ask(talk, "Runtime.evaluate", expression=_SHOWN, returnByValue=True)
            value = answer.get("result", {}).get("value")
            if value and value["word"] != "Working":
                return dict(value)
            await asyncio.sleep(_LOOK_S)


async def _page(home: Path) -> str:
    """Return where the browser's page can be asked."""
    told = home / "DevToolsActivePort"
    while not (told.exists() and told.read_text().strip()):  # noqa: ASYNC110 - a file tells nobody that it comes
        await asyncio.sleep(_LOOK_S)
    port = told.read_text().split()[0]
    while True:
        with await asyncio.to_thread(urlopen, f"http://127.0.0.1:{port}/json") as answer:
            pages = [item for item in json.load(answer) if item["type"] == "page"]
        if pages:
            return str(pages[0]["webSocketDebuggerUrl"])
        await asyncio.sleep(_LOOK_S)


async def _ask(talk: Any, method: str, **params: Any) -> dict[str, Any]:
    await talk.send(json.dumps({"id": 1, "method": method, "params": params}))
    while True:
        answer = json.loads(await talk.recv())
        if answer.get("id") == 1:
            return dict(answer.get("result", {}))


async def main() -> dict[str, Any]:
    if SIDE == "a":
        return {"page": await browser()}
    with TemporaryDirectory() as name:
        if SIDE == "b":
            return await program(Path(name))
        page, ended = await asyncio.gather(browser(), program(Path(name)))
        return {**ended, "page": page}


sys.stdout.write(json.dumps(asyncio.run(main())))
