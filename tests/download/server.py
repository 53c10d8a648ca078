"""A server on loopback that serves files from memory with injected faults, one per request."""

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answer:
    """The response that a handler will send; faults modify it."""

    def __init__(self, content: bytes, requested: str | None):
        self.status, self.headers, self.body = 200, {}, content
        self.content, self.requested = content, requested
        self.headers["ETag"] = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        self.headers["Content-Type"] = "application/octet-stream"
        self.pace: float | None = None  # bytes per second
        self.stop_after: int | None = None
        self.hang = 0.0

    def honour_range(self, if_range: str | None) -> None:
        if self.requested and if_range in (None, self.headers["ETag"]):
            first = int(self.requested.removeprefix("bytes=").split("-")[0])
            if first >= len(self.content):
                self.status, self.body = 416, b""
                self.headers["Content-Range"] = f"bytes */{len(self.content)}"
                return
            self.status, self.body = 206, self.content[first:]
            self.headers["Content-Range"] = f"bytes {first}-{len(self.content) - 1}/{len(self.content)}"


Fault = Callable[[Answer], None]


def drop(after: int) -> Fault:
    """Close the connection in the middle of the body."""

    def fault(answer: Answer) -> None:
        answer.stop_after = after

    return fault


def hang(after: int, seconds: float) -> Fault:
    """Stop sending in the middle of the body."""

    def fault(answer: Answer) -> None:
        answer.stop_after, answer.hang = after, seconds

    return fault


def trickle(pace: float) -> Fault:
    """Send `pace` bytes per second."""

    def fault(answer: Answer) -> None:
        answer.pace = pace

    return fault


def whole(answer: Answer) -> None:
    """Ignore Range."""
    answer.status, answer.body = 200, answer.content
    answer.headers.pop("Content-Range", None)


def shorter(answer: Answer) -> None:
    """Another file, which is shorter."""
    answer.body = answer.body[:-7]


def says_longer(answer: Answer) -> None:
    """Announce more than there is."""
    answer.headers["Content-Length"] = str(len(answer.body) + 100)


def corrupt(answer: Answer) -> None:
    """Right length, one byte wrong."""
    middle = len(answer.body) // 2
    answer.body = answer.body[:middle] + bytes([answer.body[middle] ^ 1]) + answer.body[middle + 1 :]


def other_version(answer: Answer) -> None:
    """The file was replaced by another of the same length."""
    answer.headers["ETag"] = '"other"'
    whole(answer)
    answer.body = answer.content[::-1]


def web_page(answer: Answer) -> None:
    """A page instead of data, with status 200."""
    answer.status, answer.body = 200, b"<!DOCTYPE html><title>Quota exceeded</title>"
    answer.headers["Content-Type"] = "text/html; charset=utf-8"
    answer.headers.pop("Content-Range", None)


def disguised_page(answer: Answer) -> None:
    """A page instead of data, with the content type of data."""
    answer.status, answer.body = 200, b"<!DOCTYPE html><title>Sign in</title>"


def gzipped(answer: Answer) -> None:
    """A proxy that encodes what it passes on."""
    answer.headers["Content-Encoding"] = "gzip"


def wrong_range(answer: Answer) -> None:
    """Another range than the requested one."""
    answer.status = 206
    answer.headers["Content-Range"] = f"bytes 3-{len(answer.content) - 1}/{len(answer.content)}"


def no_length(answer: Answer) -> None:
    """End the body by closing the connection."""
    answer.headers["Content-Length"] = ""


def status(code: int, retry_after: str | None = None) -> Fault:
    """An error status, optionally with Retry-After."""

    def fault(answer: Answer) -> None:
        answer.status, answer.body = code, b""
        if retry_after is not None:
            answer.headers["Retry-After"] = retry_after

    return fault


def redirect(to: str, **headers: str) -> Fault:
    """The file is elsewhere."""

    def fault(answer: Answer) -> None:
        answer.status, answer.body = 302, b""
        answer.headers |= {"Location": to, **{key.replace("_", "-"): value for key, value in headers.items()}}

    return fault


@dataclass
class Server:
    """Files by path, queued faults by path, and the requests received."""

    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, deque[Fault]] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    sent: int = 0
    base: str = ""

    def fail(self, path: str, *faults: Fault) -> None:
        """Inject these faults into the next requests of `path`, one each."""
        self.faults.setdefault(path, deque()).extend(faults)

    def always(self, path: str, fault: Fault) -> None:
        """Inject a fault into the next hundred requests, more than any test sends."""
        self.fail(path, *[fault] * 100)

    def start(self) -> ThreadingHTTPServer:
        state = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                requested = self.headers.get("Range")
                state.requests.append((self.path, requested))
                if self.path not in state.files:
                    self.send_error(404)
                    return
                answer = Answer(state.files[self.path], requested)
                answer.honour_range(self.headers.get("If-Range"))
                if waiting := state.faults.get(self.path):
                    waiting.popleft()(answer)
                self.send_response(answer.status)
                length = answer.headers.pop("Content-Length", str(len(answer.body)))
                for key, value in answer.headers.items():
                    self.send_header(key, value)
                if length:
                    self.send_header("Content-Length", length)
                if not length or int(length) != len(answer.body) or answer.stop_after is not None:
                    self.send_header("Connection", "close")
                    self.close_connection = True
                self.end_headers()
                self._send(answer)

            def _send(self, answer: Answer) -> None:
                body = answer.body if answer.stop_after is None else answer.body[: answer.stop_after]
                try:
                    if answer.pace is None:
                        self.wfile.write(body)
                        state.sent += len(body)
                    else:
                        for i in range(len(body)):
                            self.wfile.write(body[i : i + 1])
                            state.sent += 1
                            time.sleep(1 / answer.pace)
                    self.wfile.flush()
                    time.sleep(answer.hang)
                except OSError:  # the client left
                    self.close_connection = True

            def log_message(self, *args: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """Do not log clients that close the connection."""

        server = Quiet(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.base = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server
