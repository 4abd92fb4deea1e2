"""A web server over HTTPS for one test: what it answers stands in a file, and it may run under faketime.

    python -S https_service.py HOST PORT CHAIN KEY ANSWERS

ANSWERS is JSON: {"/path": {"status": 200, "headers": {...}, "body": "..."}}. A Date header there takes the place of the
right one. Each request is printed as a line of JSON. Only the standard library, so that a bare interpreter runs it.
"""

import json
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


def handler(answers: dict[str, Any]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            print(json.dumps({"path": self.path, "headers": dict(self.headers)}), flush=True)  # noqa: T201 - the log
            answer = answers.get(self.path.partition("?")[0], {"status": 404})
            body = str(answer.get("body", "")).encode()
            headers = {"Date": self.date_time_string(), "Content-Length": str(len(body))} | answer.get("headers", {})
            self.send_response_only(answer.get("status", 200))
            for name, value in headers.items():
                if value is not None:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Print nothing but what is asked for."""

    return Handler


def main(host: str, port: str, chain: str, key: str, answers: str) -> None:
    """Serve until the end; a port of 0 takes a free one, which the first line names."""
    server = ThreadingHTTPServer((host, int(port)), handler(json.loads(Path(answers).read_text())))
    if chain:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_address[1], flush=True)  # noqa: T201 - who starts it waits for this
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
