"""What stands in for Slack, a webhook and a mail server: each on a free port of this machine, for one test."""

from __future__ import annotations

import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Web:
    """A web server that answers what the test says, and remembers what it was sent."""

    answers: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=list)
    """In their order; the last one is given again and again."""
    requests: list[Request] = field(default_factory=list)
    before_answer: Callable[[], None] = lambda: None
    port: int = 0

    def answer(self, status: int, body: bytes = b"", **headers: str) -> Web:
        self.answers.append((status, body, {name.replace("_", "-"): value for name, value in headers.items()}))
        return self

    @property
    def titles(self) -> list[str]:
        return [request.json["title"] for request in self.requests]


def own_certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Return what a server with a certificate of its own making speaks TLS with, and the file that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    start, end = datetime(2020, 1, 1, tzinfo=UTC), datetime(2120, 1, 1, tzinfo=UTC)
    dated = builder.not_valid_before(start).not_valid_after(end).add_extension(address, critical=False)
    certificate = dated.sign(key, hashes.SHA256())
    file = folder / "server.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + certificate.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context, file


@contextmanager
def web_server(context: ssl.SSLContext | None = None) -> Iterator[Web]:
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            web.requests.append(Request(self.path, dict(self.headers), body))
            web.before_answer()
            status, text, headers = (
                (web.answers.pop(0) if len(web.answers) > 1 else web.answers[0]) if web.answers else (200, b"ok", {})
            )
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(text))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """Clients that give up, and those that distrust the certificate, are what is tested."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        web.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield web
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def dripping_server(seconds: float = 10) -> Iterator[int]:
    """Send one byte of an answer now and then, so that no read of a byte times out; for `seconds` at most."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                for _ in range(int(seconds / 0.05)):
                    if done.wait(0.05):
                        break
                    connection.sendall(b".")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            done.set()
            thread.join()


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@dataclass
class Mail:
    """A mail server that accepts what the test says, and remembers it."""

    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    """By recipient, the reply."""

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        letter = message_from_bytes(envelope.content, policy=default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"


@contextmanager
def mail_server(login: tuple[str, str] | None = None, tls: ssl.SSLContext | None = None) -> Iterator[Mail]:
    mail = Mail(free_port())

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        success = login == (data.login.decode(), data.password.decode())
        return AuthResult(success=success, handled=success)

    options: dict[str, Any] = {"authenticator": check, "auth_require_tls": False} if login else {}
    if tls is not None:
        options |= {"tls_context": tls, "require_starttls": True}
    controller = Controller(mail, hostname="127.0.0.1", port=mail.port, **options)
    controller.start()
    try:
        yield mail
    finally:
        controller.stop()
