"""What stands in front of servers, or where one should be: Debian's haproxy, and nginx as the web server that it is."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from support.ca import Certificate
from support.process import running
from support.ready import answers

_HAPROXY = """
global
  maxconn 64
defaults
  mode tcp
  timeout connect 8s
  timeout client 30s
  timeout server 30s
"""
_NGINX = """
daemon off;
pid {directory}/pid;
error_log stderr;
worker_processes 1;
events {{}}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{ {server} }}
}}
"""


def bundle(certificate: Certificate) -> Path:
    """Write chain and key into one file, as haproxy wants them, and return its name."""
    whole = certificate.chain_file.with_suffix(".bundle")
    whole.write_bytes(certificate.chain_file.read_bytes() + certificate.key_file.read_bytes())
    return whole


@contextlib.contextmanager
def haproxy(directory: Path, sections: str, *, host: str, port: int, prefix: Sequence[str] = ()) -> Iterator[None]:
    """Run haproxy with these sections until the block ends; it listens at `port` when the block begins."""
    with _front(directory, "haproxy", _HAPROXY + sections, ["-db", "-f"], host=host, port=port, prefix=prefix):
        yield


@contextlib.contextmanager
def nginx(directory: Path, server: str, *, host: str, port: int, prefix: Sequence[str] = ()) -> Iterator[None]:
    """Run nginx as a web server with these directives until the block ends."""
    text = _NGINX.format(directory=directory, server=server)
    words = ["-p", str(directory), "-e", "stderr", "-c"]
    with _front(directory, "nginx", text, words, host=host, port=port, prefix=prefix):
        yield


@contextlib.contextmanager
def _front(
    directory: Path, program: str, text: str, words: Sequence[str], *, host: str, port: int, prefix: Sequence[str]
) -> Iterator[None]:
    directory.mkdir(parents=True, exist_ok=True)
    configuration, log = directory / f"{program}.conf", directory / f"{program}.log"
    configuration.write_text(text)
    with running([*prefix, program, *words, configuration], log=log) as process:
        if not answers(host, port, "open", prefix=prefix) or process.poll() is not None:
            raise RuntimeError(f"{program} does not listen:\n{log.read_text()[-4000:]}\n{text}")
        yield
