"""Wait until a server answers, asking from inside its own network namespace."""

import subprocess
import sys
from collections.abc import Sequence

BINDING, ALLOCATE = 0x0001, 0x0003
READY_S = 15.0

# It runs with a bare interpreter (-S), which starts quickly and is not measured for coverage.
_ASK = """
import os, socket, ssl, sys, time
host, port, kind, method, limit = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), float(sys.argv[5])
family = socket.AF_INET6 if ":" in host else socket.AF_INET
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
end = time.monotonic() + limit
while time.monotonic() < end:
    request = method.to_bytes(2, "big") + bytes(2) + bytes.fromhex("2112a442") + os.urandom(12)
    try:
        with socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM) as sock:
            sock.settimeout(0.5)
            sock.connect((host, port))
            if kind == "open":
                sys.exit(0)
            talk = context.wrap_socket(sock) if kind == "tls" else sock
            talk.sendall(request)
            if talk.recv(2048):
                sys.exit(0)
    except OSError:
        time.sleep(0.02)
sys.exit(1)
"""


def answers(
    host: str,
    port: int,
    kind: str,
    *,
    method: int = BINDING,
    prefix: Sequence[str] = (),
    limit_s: float = READY_S,
) -> bool:
    """Wait, bounded, for any answer to a STUN request over `udp`, `tcp` or `tls`, or for an `open` TCP port."""
    ask = [*prefix, sys.executable, "-S", "-c", _ASK, host, str(port), kind, str(method), str(limit_s)]
    return subprocess.run(ask, check=False, timeout=limit_s + 10).returncode == 0
