"""The documented requests to GitHub, GitLab and Jenkins, sent to servers that look at what the real ones look at.

What GitHub takes (ten keys, 100 characters of the event's name), what GitLab wants (token, ref, variables) and that
Jenkins takes a query or a form is what their documentation says. The words with which they refuse are made up here, and
so is the size at which Jenkins' server stops to read a request's head: none of the three was asked.
"""

import json
import threading
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from monitoring_tasks.actions.http_request import http_request
from monitoring_tasks.config import Http
from monitoring_tasks.errors import DataError
from monitoring_tasks.http_call import http_connection, send
from tests.actions.test_http_request import REQUEST

MOST_OF_HEAD = 8192
"""Bytes of a request's line and headers that Jenkins' server reads."""

EXAMPLES = {
    "github": """
connection: github
endpoint: /repos/acme/models/dispatches
json:
  event_type: retrain
  client_payload: {monitor: "{monitor}", action_id: "{action_id}", reason: "{reason}", train_start: "{train_start}",
                   train_end: "{train_end}", query: "{query}", evidence: "{evidence}", approved_by: "{approved_by}"}
""",
    "gitlab": """
connection: gitlab
endpoint: /api/v4/projects/42/trigger/pipeline
json:
  token: "{token}"
  ref: main
  variables: {TRAIN_START: "{train_start}", TRAIN_END: "{train_end}", ACTION_ID: "{action_id}"}
""",
    "gitlab-form": """
connection: gitlab
endpoint: /api/v4/projects/42/trigger/pipeline
form: {token: "{token}", ref: main, "variables[ACTION_ID]": "{action_id}"}
""",
    "jenkins": """
connection: jenkins
endpoint: /job/retrain/buildWithParameters?TRAIN_START={train_start}&ACTION_ID={action_id}
""",
    "jenkins-form": """
connection: jenkins
endpoint: /job/retrain/buildWithParameters
form: {TRAIN_START: "{train_start}", ACTION_ID: "{action_id}", EVIDENCE: "{evidence}", EXPORT: "{export}"}
""",
}
LOGINS = {"github": ":ghp_1234", "gitlab": ":glptt-1234", "jenkins": "ada:11aa22"}


def github(_, headers, body):
    if headers.get("Authorization") not in ("Bearer ghp_1234", "token ghp_1234"):
        return 401, {"message": "Bad credentials"}, {}
    if not headers.get("User-Agent"):
        return 403, {"message": "Request forbidden by administrative rules."}, {}
    asked = json.loads(body)
    payload = asked.get("client_payload", {})
    if set(asked) - {"event_type", "client_payload"} or not 0 < len(asked["event_type"]) <= 100:
        return 422, {"message": "Invalid request."}, {}
    if len(payload) > 10:
        return 422, {"message": "No more than 10 properties are allowed; 11 were supplied."}, {}
    return 204, None, {}


def gitlab(_, headers, body):
    if "Authorization" in headers or "Private-Token" in headers:
        return 401, {"message": "401 Unauthorized"}, {}
    asked = fields(headers, body)
    if missing := [name for name in ("token", "ref") if name not in asked]:
        return 400, {"error": f"{missing[0]} is missing"}, {}
    if asked["token"] != "glptt-1234":
        return 404, {"message": "404 Not Found"}, {}
    if not all(isinstance(value, str) for value in asked.get("variables", {}).values()):
        return 400, {"error": "variables needs to be a map of key-valued strings"}, {}
    return 201, {"id": 257, "status": "created"}, {}


def jenkins(path, headers, body):
    if len(path) + sum(len(name) + len(value) + 4 for name, value in headers.items()) > MOST_OF_HEAD:
        return 431, {}, {}
    if headers.get("Authorization") != "Basic " + b64encode(b"ada:11aa22").decode():
        return 403, {}, {}  # with a user's API token no crumb is asked for
    given = parse_qs(urlsplit(path).query) | (fields(headers, body) if "urlencoded" in headers["Content-Type"] else {})
    if not {"TRAIN_START", "ACTION_ID"} <= given.keys():
        return 500, {}, {}
    return 201, None, {"Location": "http://jenkins/queue/item/7/"}


def fields(headers, body):
    if headers["Content-Type"] == "application/json":
        return json.loads(body)
    return {name: values[0] for name, values in parse_qs(body.decode(), strict_parsing=True).items()}


PATHS = {"/repos/acme/models/dispatches": github, "/api/v4/projects/42/trigger/pipeline": gitlab}
PATHS["/job/retrain/buildWithParameters"] = jenkins


@pytest.fixture(scope="module")
def port():
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = PATHS.get(urlsplit(self.path).path, lambda *_: (404, {}, {}))
            status, said, headers = answer(self.path, dict(self.headers), body)
            content = b"" if said is None else json.dumps(said).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running.server_port
        running.shutdown()
        thread.join()


def ask(port, example, login=None, **changes):
    http = Http.model_validate(yaml.safe_load(EXAMPLES[example]) | changes)
    url = f"http://{login or LOGINS[http.connection]}@127.0.0.1:{port}"
    connection = http_connection(http.connection, {f"MONITORING_HTTP_{http.connection.upper()}": url})
    return send(http_request(http, connection, REQUEST))


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_starts_something(port, example):
    assert ask(port, example) in ("HTTP 204", "HTTP 201", "HTTP 201, http://jenkins/queue/item/7/")


@pytest.mark.parametrize(
    ("example", "login", "changes", "said"),
    [
        ("github", ":ghp_old", {}, 'HTTP 401: {"message": "Bad credentials"}'),
        ("github", "ada:ghp_1234", {}, "HTTP 401"),
        (
            "github",
            None,
            {"json": {"event_type": "retrain", "client_payload": dict.fromkeys("abcdefghijk", 1)}},
            "HTTP 422: .*No more than 10 properties",
        ),
        ("gitlab", None, {"json": {"ref": "main"}}, "HTTP 401"),
        ("gitlab", None, {"json": {"token": "{token}"}}, "HTTP 400: .*ref is missing"),
        ("gitlab", ":glptt-old", {}, "HTTP 404"),
        (
            "gitlab",
            None,
            {"json": {"token": "{token}", "ref": "main", "variables": {"WHY": "{evidence}"}}},
            "HTTP 400: .*key-valued strings",
        ),
        ("jenkins", ":11aa22", {}, "HTTP 403"),
        ("jenkins", None, {"endpoint": "/job/retrain/buildWithParameters?EVIDENCE=" + "{evidence}" * 40}, "HTTP 431"),
    ],
)
def test_what_each_refuses_is_final_and_told_in_its_words(port, example, login, changes, said):
    with pytest.raises(DataError, match=said):
        ask(port, example, login, **changes)
