"""The sockets of one relay test, and the mapped addresses that other servers told of them."""

import asyncio

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Role
from rtcdiag.probes.nat_sockets import Sockets
from rtcdiag.targets import Server
from rtcdiag.wires import Call

_GRACE_S = 0.06
"""How long the other servers are waited for when one has answered."""
Other = tuple[Server, TransportAddress, Role]
"""A server at another address than the relay's, and what that address is to it."""


class Doors:
    """The test sockets, and the mapped addresses that the other servers told of them."""

    def __init__(self, sockets: Sockets, name: str, others: list[Other]) -> None:
        """Take the name that all labels begin with, and whom to ask."""
        self.sockets, self.others = sockets, others
        self.closed = {f"{name}{number}": other for number, other in enumerate(others, 1)}
        self.near, self.own = f"{name}3", f"{name}4"
        self._asking: dict[tuple[str, Other], asyncio.Task[Call]] = {}

    @property
    def mapped(self) -> dict[tuple[str, Other], TransportAddress]:
        """By socket and server: the mapped address, where it was told."""
        done = {key: task.result() for key, task in self._asking.items() if task.done() and not task.cancelled()}
        told = {key: call.message.xor_mapped or call.message.mapped for key, call in done.items() if call.message}
        return {key: mapped for key, mapped in told.items() if mapped is not None}

    @property
    def doors(self) -> dict[str, TransportAddress]:
        """The mapped addresses of the sockets that send nothing to a relay."""
        return {label: mapped for (label, _), mapped in self.mapped.items() if label in self.closed}

    def told_of(self, label: str) -> dict[Other, TransportAddress]:
        """Return what each server that answered said of a socket."""
        return {other: mapped for (socket, other), mapped in self.mapped.items() if socket == label}

    async def ask(self) -> None:
        """Open the sockets, and begin to ask: a closed one asks one server, that which sends to the relays all."""
        asked = {label: [other] for label, other in self.closed.items()}
        await self.sockets.wire(self.near)
        for label, others in (asked | {self.own: self.others}).items():
            await self.sockets.wire(label)
            for other in others:
                server, address, role = other
                asking = self.sockets.ask(label, server, "mapping", address, role=role, kept=False)
                self._asking[label, other] = asyncio.create_task(asking)

    async def told(self) -> None:
        """Wait until one server has told all that it was asked, or none is to be waited for any more."""
        pending = set(self._asking.values())
        while pending and not any(map(self._has_told_all, self.others)):
            _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        if pending:
            await asyncio.wait(pending, timeout=_GRACE_S)

    def _has_told_all(self, other: Other) -> bool:
        mine = [key for key in self._asking if key[1] == other]
        mapped = self.mapped
        return all(key in mapped for key in mine)

    def end(self) -> None:
        """Wait for no answer any more."""
        for task in self._asking.values():
            task.cancel()
