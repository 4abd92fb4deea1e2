"""A gateway service that says whatever it is told to. Run: pretender.py JSON, on the router; it prints `ready`.

Keys: ``pmp`` and ``igd``, external addresses, absent for no answer; ``location``, ``description`` and ``control`` to
replace what an honest one has; ``way``, how it is dishonest.
"""

import http.server
import json
import socket
import struct
import sys
import threading
import time
from ipaddress import IPv4Address
from typing import Any

ASKED = json.loads(sys.argv[1])
HERE = ASKED["here"]
PORT = 5000
DEVICE = "urn:schemas-upnp-org:device:"
SERVICE = "urn:schemas-upnp-org:service:WANIPConnection:1"
ENTITIES = "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12))
BOMB = f"<!DOCTYPE b [<!ENTITY a0 'ha'>{ENTITIES}]>"


def device(kind: str, inside: str) -> str:
    return f"<device><deviceType>{DEVICE}{kind}:1</deviceType>{inside}</device>"


def description() -> str:
    service = (
        f"<serviceList><service><serviceType>{SERVICE}</serviceType><serviceId>urn:upnp-org:serviceId:WANIPConn1"
        f"</serviceId><SCPDURL>/scpd.xml</SCPDURL><controlURL>{ASKED.get('control', '/control')}</controlURL>"
        "<eventSubURL>/event</eventSubURL></service></serviceList>"
    )
    connection = device("WANConnectionDevice", service)
    wan = device("WANDevice", f"<deviceList>{connection}</deviceList>")
    name = "<manufacturer>\x9b31m\u202eEvil &lt;b&gt;</manufacturer><modelName>" + 500 * "x" + "</modelName>"
    gateway = device("InternetGatewayDevice", f"{name}<deviceList>{wan}</deviceList>")
    head = BOMB if ASKED.get("way") == "bomb" else ""
    text = "&a11;" if head else ""
    return f'<?xml version="1.0"?>{head}<root xmlns="urn:schemas-upnp-org:device-1-0">{text}{gateway}</root>'


def action(name: str, *results: str) -> str:
    arguments = "".join(
        f"<argument><name>New{result}</name><direction>out</direction><relatedStateVariable>{result}"
        "</relatedStateVariable></argument>"
        for result in results
    )
    return f"<action><name>{name}</name><argumentList>{arguments}</argumentList></action>"


STATUS = ("ConnectionStatus", "LastConnectionError", "Uptime")
SCPD = (
    '<?xml version="1.0"?><scpd xmlns="urn:schemas-upnp-org:service-1-0"><actionList>'
    + action("GetExternalIPAddress", "ExternalIPAddress")
    + action("GetStatusInfo", *STATUS)
    + "</actionList><serviceStateTable>"
    + "".join(
        f'<stateVariable sendEvents="no"><name>{name}</name><dataType>string</dataType></stateVariable>'
        for name in ("ExternalIPAddress", *STATUS)
    )
    + "</serviceStateTable></scpd>"
)


def answered(name: str, values: dict[str, str]) -> str:
    inside = "".join(f"<New{key}>{value}</New{key}>" for key, value in values.items())
    return envelope(f'<u:{name}Response xmlns:u="{SERVICE}">{inside}</u:{name}Response>')


def envelope(inside: str) -> str:
    return f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{inside}</s:Body></s:Envelope>'


def fault(code: int) -> str:
    error = f"<errorCode>{code}</errorCode><errorDescription>no</errorDescription>"
    return envelope(
        "<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>"
        f'<UPnPError xmlns="urn:schemas-upnp-org:control-1-0">{error}</UPnPError></detail></s:Fault>'
    )


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        way = ASKED.get("way")
        if way == "redirect":
            self.say("", 302, ASKED["location"])
        elif way == "huge" or (way == "huge-scpd" and "scpd" in self.path):
            self.say((SCPD if "scpd" in self.path else description()) + 5_000_000 * " ")
        elif way == "deep":
            self.say(60_000 * "<a>")
        elif way == "slow":
            self.trickle()
        else:
            self.say(SCPD if "scpd" in self.path else description())

    def do_POST(self) -> None:
        name = self.headers.get("SOAPAction", "").strip('"').rpartition("#")[2]
        if "error" in ASKED:
            self.say(fault(ASKED["error"]), 500)
        elif name == "GetExternalIPAddress":
            self.say(answered(name, {"ExternalIPAddress": ASKED["igd"]}))
        else:
            self.say(answered(name, dict(zip(STATUS, ("Connected", "ERROR_NONE", "77"), strict=True))))

    def say(self, text: str, code: int = 200, location: str = "") -> None:
        self.send_response(code)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(text.encode())))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(text.encode())

    def trickle(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(100):
            self.wfile.write(b" ")
            time.sleep(0.1)

    def log_message(self, *_: Any) -> None:
        pass


def discovered() -> bytes:
    location = (
        ASKED.get("location", f"http://{HERE}:{PORT}/root.xml")
        if ASKED.get("way") != "redirect"
        else (f"http://{HERE}:{PORT}/root.xml")
    )
    return (
        f"HTTP/1.1 200 OK\r\nST: {DEVICE}InternetGatewayDevice:1\r\nLOCATION: {location}\r\nUSN: uuid:1\r\n\r\n"
    ).encode()


def ssdp(sock: socket.socket) -> None:
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    while True:
        _, source = sock.recvfrom(2048)
        # From another port, as many routers do.
        for _ in range(1000 if ASKED.get("way") == "flood" else 1):
            other.sendto(b"HTTP/1.1 200 OK\r\n\r\n" if ASKED.get("way") == "flood" else discovered(), source)


def portmap(sock: socket.socket) -> None:
    while True:
        data, source = sock.recvfrom(2048)
        if ASKED.get("way") == "garbage":
            sock.sendto(b"\xff" * 9, source)
        elif data[:1] == b"\0":
            sock.sendto(struct.pack("!BBHI", 0, 128, 0, 9) + IPv4Address(ASKED["pmp"]).packed, source)
        else:  # RFC 6887 appendix A: a NAT-PMP server's word for "not PCP"
            sock.sendto(struct.pack("!BBHI", 0, 128, 1, 9), source)


def bound(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("", port))
    return sock


def main() -> None:
    if "pmp" in ASKED or ASKED.get("way") == "garbage":
        threading.Thread(target=portmap, args=(bound(5351),), daemon=True).start()
    if "igd" in ASKED:
        threading.Thread(target=ssdp, args=(bound(1900),), daemon=True).start()
    server = http.server.ThreadingHTTPServer(("", PORT), Handler)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    server.serve_forever()


main()
