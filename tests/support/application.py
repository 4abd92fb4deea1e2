"""An application that is no rtcdiag and answers an offer in SDP: ``application.py aiortc|aioice OFFER ANSWER SECONDS``.

Waits for the file OFFER, writes ANSWER in the same form (JSON or plain), and prints the states of ICE that it went
through, the last one last. ``aiortc`` is a WebRTC application; ``aioice`` knows ICE only, and its SDP has nothing else.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import aioice
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription

HOW, OFFER, ANSWER, SECONDS = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4])
STUN = os.environ["RTCDIAG_LAB_STUN"]


def tell(sdp: str, *, as_json: bool) -> None:
    fresh = ANSWER.with_suffix(".new")
    fresh.write_text(json.dumps({"type": "answer", "sdp": sdp}) if as_json else sdp)
    fresh.rename(ANSWER)


async def with_aiortc(offer: str, *, as_json: bool) -> list[str]:
    peer = RTCPeerConnection(RTCConfiguration([RTCIceServer(STUN)]))
    states: list[str] = []
    peer.on("iceconnectionstatechange", lambda: states.append(peer.iceConnectionState))
    await peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
    answer: Any = await peer.createAnswer()
    await peer.setLocalDescription(answer)
    tell(peer.localDescription.sdp, as_json=as_json)
    await asyncio.sleep(SECONDS)
    await peer.close()
    return [state for state in states if state != "closed"]


async def with_aioice(offer: str, *, as_json: bool) -> list[str]:
    host, _, port = STUN.partition(":")[2].rpartition(":")
    agent = aioice.Connection(ice_controlling=False, stun_server=(host, int(port)), use_ipv6=False)
    values = [line.partition(":") for line in offer.splitlines()]
    found = {name: value for name, _, value in values}
    agent.remote_username, agent.remote_password = found["a=ice-ufrag"], found["a=ice-pwd"]
    for name, _, value in values:
        if name == "a=candidate":
            await agent.add_remote_candidate(aioice.Candidate.from_sdp(value))
    await agent.add_remote_candidate(None)
    await agent.gather_candidates()
    lines = ["v=0", "o=- 7 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"]
    lines += [f"a=ice-ufrag:{agent.local_username}", f"a=ice-pwd:{agent.local_password}"]
    lines += [f"a=candidate:{candidate.to_sdp()}" for candidate in agent.local_candidates]
    tell("".join(f"{line}\r\n" for line in lines), as_json=as_json)
    try:
        async with asyncio.timeout(SECONDS):
            await agent.connect()
        await asyncio.sleep(2)
    except (ConnectionError, TimeoutError):
        return ["failed"]
    finally:
        await agent.close()
    return ["completed"]


def main() -> list[str]:
    while not OFFER.exists():
        time.sleep(0.05)
    text = OFFER.read_text()
    as_json = text.startswith("{")
    offer = json.loads(text)["sdp"] if as_json else text
    return asyncio.run({"aiortc": with_aiortc, "aioice": with_aioice}[HOW](offer, as_json=as_json))


sys.stdout.write(" ".join(main()))
