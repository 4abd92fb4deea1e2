"""The exporter over HTTP: ``/probe`` as blackbox_exporter has it, ``/metrics`` of itself, and a page."""

import asyncio
import contextlib
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from rtcdiag.config import HealthTarget
from rtcdiag.demands import DEPTHS, Depth
from rtcdiag.exporter.budget import HEADER, budget_s
from rtcdiag.exporter.checks import BusyError, Checks
from rtcdiag.exporter.metrics import Probed, exposition
from rtcdiag.exporter.own import MODULE_UNSET, Own
from rtcdiag.exporter.page import index
from rtcdiag.exporter.reading import Reading
from rtcdiag.formats.health.jsonl import line
from rtcdiag.formats.safe import clean
from rtcdiag.health import HealthResult

_SHOWN = 80
_PARAMETERS = ("target", "module", "debug")


class Asked(NamedTuple):
    """One scrape."""

    uris: list[HealthTarget]
    depth: Depth | None
    budget_s: float
    debug: bool


class Exporter:
    """What the routes share."""

    def __init__(self, checks: Checks, reading: Reading, offset_s: float) -> None:
        """Take how much sooner than Prometheus' time-out an answer is due."""
        self._checks, self._offset_s = checks, offset_s
        self._own = Own(checks, reading)

    def app(self) -> Starlette:
        """Return the application."""
        routes = [
            Route("/", self._index, methods=["GET"]),
            Route("/probe", self._probe, methods=["GET"]),
            Route("/metrics", self._metrics, methods=["GET"]),
            Route("/-/healthy", _healthy, methods=["GET"]),
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: _told})

    async def _probe(self, request: Request) -> Response:
        try:
            asked = self._asked(request)
        except ValueError as error:
            return self._refuse("bad-request", 400, str(error))
        began_s = asyncio.get_running_loop().time()
        try:
            results = await _unless_gone(request, self._checks, asked)
        except BusyError:
            return self._refuse("busy", 503, "too many scrapes at once")
        if results is None:
            return self._refuse("disconnected", 499, "who asked has gone")
        duration_s = asyncio.get_running_loop().time() - began_s
        self._own.probed(asked.depth or MODULE_UNSET, results, duration_s)
        if asked.debug:
            return PlainTextResponse("".join(map(line, results)))
        return _exposed(request, Probed(results, duration_s))

    def _asked(self, request: Request) -> Asked:
        """Read a scrape; raise ValueError with one line for the first thing that is wrong."""
        given = request.query_params
        for name in given:
            if name not in _PARAMETERS:
                raise ValueError(f"unknown parameter {_quoted(name)}: there are {', '.join(_PARAMETERS)}")
            if len(given.getlist(name)) > 1:
                raise ValueError(f"{name} stands here twice")
        targets = self._checks.targets
        target, module, debug = given.get("target", ""), given.get("module"), given.get("debug", "false")
        if not target:
            raise ValueError("target is missing: write /probe?target=NAME, with a name of the configuration")
        if target not in targets:
            raise ValueError(f"the configuration has no target {_quoted(target)}")
        depth = next((name for name in DEPTHS if name == module), None)
        if module is not None and depth is None:
            raise ValueError(f"unknown module {_quoted(module)}: there are {', '.join(DEPTHS)}")
        budget = budget_s(request.headers.get(HEADER), self._offset_s)
        return Asked(targets[target], depth, budget, debug == "true")

    def _refuse(self, reason: str, status: int, words: str) -> Response:
        self._own.refused(reason)
        return PlainTextResponse(f"{words}\n", status)

    async def _metrics(self, request: Request) -> Response:
        return _exposed(request, self._own.registry)

    async def _index(self, _request: Request) -> Response:
        return HTMLResponse(index(self._checks.targets), headers={"content-security-policy": "default-src 'none'"})


async def _unless_gone(request: Request, checks: Checks, asked: Asked) -> tuple[HealthResult, ...] | None:
    """Check the target; None where who asked goes away before: then the check is given up."""
    probing = asyncio.create_task(checks.probe(asked.uris, asked.depth, asked.budget_s))
    watching = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait((probing, watching), return_when=asyncio.FIRST_COMPLETED)
        return await probing if probing.done() else None
    finally:
        for task in (probing, watching):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait((probing, watching))


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _exposed(request: Request, collector: Any) -> Response:
    body, content_type = exposition(collector, request.headers.get("accept", ""))
    return Response(body, media_type=content_type)


async def _healthy(_request: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _told(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    words = {404: "there is nothing here: try /probe?target=NAME or /metrics", 405: "only GET is answered"}
    return PlainTextResponse(f"{words.get(status, 'this request cannot be answered')}\n", status)


def _quoted(text: str) -> str:
    return f"'{clean(text[:_SHOWN])}{'…' if len(text) > _SHOWN else ''}'"
