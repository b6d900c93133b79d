"""Requests to a real server on this machine: what is retried, what is refused, and that nothing secret is said."""

import json
import logging
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from monitoring_tasks.actions.http_request import HttpConnection, http_request
from monitoring_tasks.config import Http
from monitoring_tasks.errors import ConfigError, DataError, TransientError
from monitoring_tasks.http_call import http_connection, send
from tests.actions.test_http_request import REQUEST
from tests.delivery.servers import own_certificate, web_server

SECRET = "s3cret-token"


@pytest.fixture
def server(monkeypatch):
    """Serve answers that a test sets, and keep what was asked."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.asked.append((self.path, dict(self.headers), json.loads(body)))
            status, headers, content = self.server.answer
            if status == 0:
                time.sleep(0.5)
                return
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.asked, running.answer = [], (204, {}, b"")
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def request(port, endpoint="/go", **body):
    http = Http.model_validate({"connection": "ci", "endpoint": endpoint, "json": body or {"why": "{reason}"}})
    return http_request(http, HttpConnection("ci", f"http://127.0.0.1:{port}", None, SECRET), REQUEST)


def ask(server, **arguments):
    return send(request(server.server_port, **arguments), timeout=(1.0, 0.2))


def test_it_is_sent_once_with_its_key(server):
    assert ask(server) == "HTTP 204"
    ((path, headers, body),) = server.asked
    assert (path, body) == ("/go", {"why": REQUEST.reason})
    assert headers["Authorization"] == f"Bearer {SECRET}"
    assert headers["Idempotency-Key"] == REQUEST.action_id
    assert headers["Content-Type"] == "application/json"


def test_where_jenkins_queued_it_is_kept(server):
    server.answer = (201, {"Location": "http://jenkins/queue/item/7/"}, b"")
    assert ask(server) == "HTTP 201, http://jenkins/queue/item/7/"


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        ((500, {}, b"oops"), TransientError, "HTTP 500: oops"),
        ((503, {}, b""), TransientError, "HTTP 503"),
        ((429, {"Retry-After": "1"}, b"slow down"), TransientError, "HTTP 429: slow down"),
        ((401, {}, b"bad credentials\nmore"), DataError, "HTTP 401: bad credentials"),
        ((422, {}, f"no {SECRET} here".encode()), DataError, r"HTTP 422: no \*\*\* here"),
        ((302, {"Location": "/login"}, b""), DataError, "HTTP 302: the server is elsewhere"),
        ((0, {}, b""), TransientError, "not answered: no answer in time"),
    ],
    ids=["500", "503", "429", "401", "422-with-token", "302", "slow"],
)
def test_what_a_server_says_is_retried_or_final(server, answer, error, text, caplog):
    server.answer = answer
    with caplog.at_level(logging.DEBUG), pytest.raises(error, match=text) as raised:
        ask(server)
    assert SECRET not in str(raised.value) + caplog.text
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
    assert len(server.asked) == 1


def test_nobody_there_is_retried():
    with pytest.raises(TransientError, match=r"the request to ci:/go was not answered: no connection"):
        send(request(9), timeout=(1.0, 0.2))


def test_a_server_that_speaks_no_tls_is_not_called_one_with_a_bad_certificate(server):
    asked = request(server.server_port)
    asked = replace(asked, url=asked.url.replace("http:", "https:"))
    with pytest.raises(DataError, match="the server speaks no TLS, and without a scheme a connection means https"):
        send(asked, timeout=(1.0, 1.0))


@pytest.mark.parametrize("password", ["żółć", "two\nlines"])
def test_a_password_that_no_header_may_hold_is_not_retried(password):
    http = Http.model_validate({"connection": "ci", "endpoint": "/go"})
    with pytest.raises(DataError, match="was not sent: a header of the connection, or its password") as raised:
        send(http_request(http, HttpConnection("ci", "http://127.0.0.1:9", None, password), REQUEST))
    assert password not in str(raised.value)


def test_a_companys_own_authority_stands_in_the_environment(tmp_path, monkeypatch):
    context, file = own_certificate(tmp_path)
    http = Http.model_validate({"connection": "ci", "endpoint": "/go"})
    with web_server(context) as web:
        asked = http_request(http, HttpConnection("ci", f"https://127.0.0.1:{web.port}"), REQUEST)
        with pytest.raises(DataError, match=r"certificate is refused\. Name the file of the authority"):
            send(asked)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
        assert send(asked) == "HTTP 200"
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
        with pytest.raises(DataError, match=r"nowhere\.pem"):
            send(asked)


@pytest.mark.parametrize("url", ["", "ftp://ci", "ci.example.com", "https://", f"https://:{SECRET}@ci:port"])
def test_a_connection_that_is_none_is_not_shown(url):
    with pytest.raises(ConfigError, match="MONITORING_HTTP_CI_2") as raised:
        http_connection("ci.2", {"MONITORING_HTTP_CI_2": url})
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "address", "login", "password"),
    [
        ("https://api.github.com", "https://api.github.com", None, None),
        ("https://:ghp_x@api.github.com", "https://api.github.com", None, "ghp_x"),
        ("https://ada:p%40ss@[::1]:8443/ci", "https://[::1]:8443/ci", "ada", "p@ss"),
    ],
)
def test_the_login_of_a_url(url, address, login, password):
    found = http_connection("ci", {"MONITORING_HTTP_CI": url})
    assert (found.url, found.login, found.password) == (address, login, password)
