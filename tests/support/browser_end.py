"""What a browser on the other end of a session said, for the report that holds one observation of every kind."""

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import (
    BrowserPair,
    BrowserSelection,
    BrowserView,
    DataChannel,
    Observation,
    ServerError,
    Spread,
)

THERE = TransportAddress.parse("192.168.1.4:50100")


def browser_end() -> tuple[Observation, ...]:
    """Return a browser's view, and the data channel to it."""
    trips = Spread(min=1.0, mean=2.0, p50=2.0, p95=3.0, max=4.0)
    return (
        BrowserView(
            t_ms=12_000.0,
            browser="Chromium 140",
            candidates=("candidate:1 1 udp 2113937151 46041e94-5603-4c78-81f0-eebff086caa3.local 43861 typ host",),
            gathered_ms=284.7,
            errors=(ServerError(server="stun:stun.example.org:3478", code=701),),
            selected=(BrowserSelection(after_ms=8.4, local_type="host", remote_type="host", remote=THERE, rtt_ms=2.0),),
            pairs=(
                BrowserPair(
                    local_type="host",
                    remote_type="host",
                    remote=THERE,
                    state="succeeded",
                    nominated=True,
                    requests=8,
                    answers=8,
                    rtt_ms=2.0,
                ),
            ),
        ),
        DataChannel(
            t_ms=530.0,
            duration_ms=140.7,
            outcome="open",
            dtls_ms=132.7,
            open_ms=8.0,
            sent=150,
            received_there=150,
            round_trip_there_ms=trips,
            inward_kbps=11139.8,
            outward_kbps=30612.0,
        ),
    )
