"""What is sent: names filled in, the login, the body."""

import json
from urllib.parse import parse_qs

import pytest

from monitoring_tasks.actions.http_request import HttpConnection, http_request
from monitoring_tasks.actions.request import RetrainingRequest
from monitoring_tasks.alerts.alert import Evidence
from monitoring_tasks.config import Http
from monitoring_tasks.errors import ConfigError
from monitoring_tasks.window import Window

DAY = Window.parse("2013-04-03", "2013-04-04")
REQUEST = RetrainingRequest(
    monitor="flight-delays",
    action_id="3c631204a133",
    alert_id="a95b2208f557",
    target="ci:/go",
    reason="A new model is asked for.",
    window=DAY,
    train=Window.parse("2013-04-01", "2013-04-04"),
    query='SELECT "a" FROM "log"',
    approved_by="ada",
    evidence=(Evidence(DAY, "performance", "roc_auc", "", "", "alarm", 0.64),),
)


def build(body, endpoint="/go", connection=None):
    http = Http.model_validate({"connection": "ci", "endpoint": endpoint, "json": body})
    return http_request(http, connection or HttpConnection("ci", "https://ci.example.com", None, "s3cret"), REQUEST)


def sent(body, **arguments):
    return json.loads(build(body, **arguments).body)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"a": "{monitor}"}, {"a": "flight-delays"}),
        ({"a": "{evidence}"}, {"a": [REQUEST.evidence[0].to_json()]}),
        ({"a": "seen: {evidence}"}, {"a": "seen: " + json.dumps([REQUEST.evidence[0].to_json()])}),
        ({"a": "{export}", "b": "at {export}"}, {"a": None, "b": "at "}),
        ({"a": [{"b": "{train_start}/{train_end}"}]}, {"a": [{"b": "2013-04-01T00:00Z/2013-04-04T00:00Z"}]}),
        ({"a": "{{monitor}} {monitor}", "n": 3, "t": True}, {"a": "{monitor} flight-delays", "n": 3, "t": True}),
        ({}, {}),
    ],
    ids=["name", "object", "its-text", "missing", "nested", "braces", "empty"],
)
def test_names_in_braces_are_filled_in(body, expected):
    assert sent(body) == expected


def test_a_value_is_never_filled_in_twice():
    http = Http.model_validate({"connection": "ci", "endpoint": "/go", "json": {"a": "{reason}"}})
    hostile = RetrainingRequest(**{**vars(REQUEST), "reason": '{token} "}'})
    request = http_request(http, HttpConnection("ci", "https://ci", None, "s3cret"), hostile)
    assert json.loads(request.body) == {"a": '{token} "}'}


def test_the_endpoint_is_quoted_and_stands_below_the_connections_path():
    connection = HttpConnection("ci", "https://ci.example.com/base/", None, None)
    assert build({}, "/go/{monitor}?why={reason}", connection).url == (
        "https://ci.example.com/base/go/flight-delays?why=A%20new%20model%20is%20asked%20for."
    )


@pytest.mark.parametrize(
    ("login", "password", "body", "expected"),
    [
        (None, "s3cret", {}, "Bearer s3cret"),
        ("ada", "s3cret", {}, "Basic YWRhOnMzY3JldA=="),
        (None, None, {}, None),
        (None, "s3cret", {"token": "{token}"}, None),
    ],
    ids=["bearer", "basic", "nothing", "in-body"],
)
def test_how_it_logs_in(login, password, body, expected):
    request = build(body, connection=HttpConnection("ci", "https://ci", login, password))
    assert request.headers.get("Authorization") == expected
    assert request.headers["Idempotency-Key"] == "3c631204a133"


def test_headers_of_the_connection_win_whatever_their_case():
    connection = HttpConnection("ci", "https://ci", None, "s3cret", {"authorization": "token abc", "X-Team": "ml"})
    headers = build({}, connection=connection).headers
    assert {name: headers[name] for name in ("authorization", "X-Team")} == {
        "authorization": "token abc",
        "X-Team": "ml",
    }
    assert "Authorization" not in headers


def test_nothing_secret_is_shown():
    request = build({"token": "{token}"})
    assert "s3cret" not in repr(request)
    assert "s3cret" not in repr(HttpConnection("ci", "https://ci", "ada", "s3cret", {"X-Key": "s3cret"}))


def test_a_token_that_is_not_there_is_an_error():
    with pytest.raises(ConfigError, match=r"connection 'ci' has no password, and the request names \{token\}"):
        build({"a": "{token}"}, connection=HttpConnection("ci", "https://ci"))


def test_a_form_holds_texts():
    http = Http.model_validate(
        {"connection": "ci", "endpoint": "/go", "form": {"WHY": "{reason}", "E": "{evidence}", "X": "{export}", "N": 3}}
    )
    request = http_request(http, HttpConnection("ci", "https://ci"), REQUEST)
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    found = {name: value for name, (value,) in parse_qs(request.body.decode(), keep_blank_values=True).items()}
    assert found == {"WHY": REQUEST.reason, "E": json.dumps([REQUEST.evidence[0].to_json()]), "X": "", "N": "3"}
