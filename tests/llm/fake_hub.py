"""A hub on localhost that behaves as a test tells it: files with Range and redirects, cuts, refusals, silence."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Hub:
    """What it serves, and how badly. The path of a file is `OWNER/REPO/resolve/REVISION/PATH`."""

    files: dict[str, bytes] = field(default_factory=dict)
    url: str = ""
    cut_after: list[int] = field(default_factory=list)  # bytes until each of the next connections breaks
    status: int = 0  # answer everything with this
    wait_s: float = 0.0  # before answering
    slow_s: float = 0.0  # between blocks of 64 KiB
    ranges: bool = True
    redirect: bool = True  # as the real one does: to where the large files lie
    encoding: str = ""  # claimed for every body, which is none
    linked: bool = True  # tell size and hash in the headers of the redirect
    ranges_asked: list[str] = field(default_factory=list)
    served: int = 0  # bytes of bodies
    closing: threading.Event = field(default_factory=threading.Event)


@contextmanager
def running_hub() -> Iterator[Hub]:
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        hub.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        self.hub.closing.wait(self.hub.wait_s)
        name = self.path.lstrip("/").removeprefix("blobs/")
        data = self.hub.files.get(name)
        if self.hub.status or data is None:
            self._head(self.hub.status or 404, {"Content-Length": "0"})
        elif self.hub.redirect and not self.path.startswith("/blobs/"):
            self._head(302, {"Location": f"/blobs/{name}", "Content-Length": "0"} | self._linked(data))
        else:
            self._send(data, body=body)

    def _linked(self, data: bytes) -> dict[str, str]:
        etag = f'"{hashlib.sha256(data).hexdigest()}"'
        return {"X-Linked-Size": str(len(data)), "X-Linked-Etag": etag} if self.hub.linked else {}

    def _send(self, data: bytes, *, body: bool) -> None:
        asked = self.headers.get("Range", "")
        self.hub.ranges_asked.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.hub.ranges else 0
        encoded = {"Content-Encoding": self.hub.encoding} if self.hub.encoding else {}
        self._head(206 if start else 200, {"Content-Length": str(len(data) - start)} | encoded)
        if body:
            self._body(data[start:])

    def _body(self, data: bytes) -> None:
        if self.hub.cut_after:
            data = data[: self.hub.cut_after.pop(0)]
            self.close_connection = True
        try:
            for at in range(0, len(data), 65536):
                self.wfile.write(data[at : at + 65536])
                self.hub.served += len(data[at : at + 65536])
                time.sleep(self.hub.slow_s)
        except OSError:
            self.close_connection = True

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
