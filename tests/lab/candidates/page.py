"""A page that gathers candidates as any web page can, served and heard here: python page.py FILE SERVER_URI CAPTURE."""

import http.server
import sys
from pathlib import Path

PORT = 8000
PAGE = """<!doctype html><title>gathering</title><script>
(async () => {
  const found = [];
  if (%(capture)s) await navigator.mediaDevices.getUserMedia({audio: true, video: true});
  const connection = new RTCPeerConnection({iceServers: [{urls: "%(server)s"}]});
  const complete = new Promise((resolve) => {
    connection.onicecandidate = (event) => event.candidate ? found.push(event.candidate.candidate) : resolve();
    setTimeout(resolve, 12000);
  });
  connection.createDataChannel("gather");
  await connection.setLocalDescription();
  await complete;
  await fetch("/found", {method: "POST", body: found.filter((line) => line).join("\\n")});
})();
</script>"""


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves the page, and puts what it found in the file."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write((PAGE % {"server": sys.argv[2], "capture": sys.argv[3]}).encode())

    def do_POST(self) -> None:
        found = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        unfinished = Path(sys.argv[1] + ".part")
        unfinished.write_bytes(found)
        unfinished.rename(sys.argv[1])


if __name__ == "__main__":
    http.server.HTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
