"""A stand-in for an OpenAI-compatible service: speaks its HTTP, answers what a test tells it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-test-0123456789-do-not-show"


@dataclass
class Service:
    """Answers are taken one after the other; the last one stays. Requests are kept."""

    address: str = ""
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    hang: bool = False

    def says(self, content: str) -> None:
        """Answer with a chat completion as OpenAI documents it."""
        body = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "small",
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
            ],
            "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21},
        }
        self.answers.append((200, {"Content-Type": "application/json"}, json.dumps(body).encode()))

    def drafts(self, *pairs: tuple[str, str]) -> None:
        """Answer with drafts."""
        self.says(json.dumps({"drafts": [{"question": q, "answer": a} for q, a in pairs]}))

    def refuses(self, status: int, **headers: str) -> None:
        """Answer with an error that repeats the key, as some services do."""
        body = json.dumps(
            {"error": {"message": f"Incorrect API key provided: {KEY}", "code": status}}
        ).encode()
        self.answers.append(
            (status, {name.replace("_", "-"): value for name, value in headers.items()}, body)
        )


@contextmanager
def chat_service() -> Iterator[Service]:
    """Run a service on this machine."""
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            service.requests.append((self.path, dict(self.headers), json.loads(content)))
            if service.hang:
                service.release.wait(30)
            status, headers, body = (
                service.answers[0] if len(service.answers) == 1 else service.answers.pop(0)
            )
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            service.requests.append((self.path, dict(self.headers), None))
            self.send_error(500)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

        def handle(self) -> None:
            with suppress(ConnectionError):  # a client need not wait
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.address = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.release.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
