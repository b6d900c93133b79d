"""Against servers on this machine: mail, a webhook, stand-ins for Slack and Mattermost; slow and failing ones."""

from __future__ import annotations

import logging
import time
from contextvars import copy_context
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest

from monitoring_tasks.alerts import html, markdown, plain_text
from monitoring_tasks.alerts.message import Message, Paragraph
from monitoring_tasks.delivery.send import Outcome, _heard, open_channel, rendered, send
from monitoring_tasks.errors import ConfigError
from tests.delivery.outbox_rows import message
from tests.delivery.servers import dripping_server, free_port, mail_server, own_certificate, web_server

SLACK = "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7"
MAIL = "mailto://127.0.0.1/?from=a@example.com&to=b@example.com"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    """Services ask for seconds between two messages; these servers do not."""
    for url in (MAIL, f"slack://{SLACK}", "mmost://127.0.0.1/3ccdd113474722377935511fc85d3dd4"):
        monkeypatch.setattr(type(open_channel("any", url).service), "request_rate_per_sec", 0)


@pytest.fixture
def web():
    with web_server() as server:
        yield server


def mail_url(mail, to="ops@example.com", login="", **settings):
    more = "".join(f"&{name}={value}" for name, value in settings.items())
    return f"mailto://{login}127.0.0.1:{mail.port}/?from=monitor@example.com&to={to}&mode=insecure{more}"


def test_a_letter_has_its_subject_and_both_parts():
    one = message()
    with mail_server() as mail:
        assert send(open_channel("ops", mail_url(mail)), one) == Outcome("sent")
    (letter,) = mail.letters
    assert letter["subject"] == one.title, "an en dash survives"
    assert (letter["from"], letter["to"]) == ("monitor@example.com", "ops@example.com")
    assert letter["message-id"].endswith("@127.0.0.1>")
    assert abs((parsedate_to_datetime(letter["date"]) - datetime.now(UTC)).total_seconds()) < 60
    assert letter.get_content_type() == "multipart/alternative"
    text, page = letter.iter_parts()
    assert (text.get_content_type(), page.get_content_type()) == ("text/plain", "text/html")
    assert {part.get_content_charset() for part in (text, page)} == {"utf-8"}
    assert page.get_content().splitlines() == html.render(one)[1].splitlines()
    assert "distance has drifted: PSI 0.31, bound 0.1, in Zürich" in text.get_content()


def test_a_letter_logs_in_and_its_password_is_in_no_letter():
    with mail_server(login=("ada", "pass/w0rd")) as mail:
        assert send(open_channel("ops", mail_url(mail, login="ada:pass%2Fw0rd@")), message()).state == "sent"
        assert "w0rd" not in mail.letters[0].as_string()
        outcome = send(open_channel("ops", mail_url(mail, login="ada:wr0ng@")), message())
    assert outcome == Outcome("refused", "the mail server answered 535 5.7.8 Authentication credentials invalid")


def test_recipients_that_the_mail_server_refuses():
    with mail_server() as mail:
        mail.refuse = {"gone@example.com": "550 5.1.1 no such user", "full@example.com": "452 4.2.2 mailbox full"}
        refused = send(open_channel("ops", mail_url(mail, "gone@example.com")), message())
        later = send(open_channel("ops", mail_url(mail, "full@example.com")), message())
        some = send(open_channel("ops", mail_url(mail, "ops@example.com,gone@example.com")), message())
    assert refused == Outcome("refused", "the mail server answered to gone@example.com: 550 5.1.1 no such user")
    assert later == Outcome("again", "the mail server answered to full@example.com: 452 4.2.2 mailbox full")
    assert some.state == "sent", "to send it again would tell the others twice"
    assert some.reason == (
        "not to all recipients: the mail server answered to gone@example.com: 550 5.1.1 no such user"
    )
    assert mail.recipients == [["ops@example.com"]]


def test_a_webhook_gets_json_with_its_headers(web):
    url = f"json://web:hush%21@127.0.0.1:{web.port}/in/t0ken-7?+X-Team=monitoring&:team=flights"
    assert send(open_channel("ops", url), message()) == Outcome("sent")
    (request,) = web.requests
    title, body = plain_text.render(message(), 32768)
    assert (request.json["title"], request.json["message"], request.json["type"]) == (title, body, "failure")
    assert request.json["team"] == "flights"
    assert request.path == "/in/t0ken-7"
    assert request.headers["X-Team"] == "monitoring"
    assert request.headers["Authorization"].startswith("Basic ")
    assert request.headers["User-Agent"] == "Monitoring Tasks"


def test_slack_gets_its_markdown(web, monkeypatch):
    """Apprise's own Slack service; only the host of its webhooks is another."""
    channel = open_channel("ops", f"https://hooks.slack.com/services/{SLACK}")
    monkeypatch.setattr(type(channel.service), "webhook_url", f"http://127.0.0.1:{web.port}/services")
    assert send(channel, message()) == Outcome("sent")
    (request,) = web.requests
    assert request.path == f"/services/{SLACK}"
    (attachment,) = request.json["attachments"]
    assert attachment["title"] == message().title
    assert request.json["mrkdwn"] is True
    assert "distance" in attachment["text"]
    web.answer(404, b"no_team")
    outcome = send(open_channel("ops", f"slack://{SLACK}"), message())
    assert outcome.state == "refused"
    assert outcome.reason.startswith("answered 404 Not Found (no_team)")


def test_a_slack_compatible_server_gets_its_text(web):
    url = f"mmost://127.0.0.1:{web.port}/3ccdd113474722377935511fc85d3dd4"
    assert send(open_channel("ops", url + "?format=markdown"), message()) == Outcome("sent")
    (request,) = web.requests
    assert request.path == "/hooks/3ccdd113474722377935511fc85d3dd4"
    assert message().title in request.json["text"]
    assert "icon_url" not in request.json, "no picture from somebody else's server"


@pytest.mark.parametrize(
    ("status", "body", "state", "reason"),
    [
        (500, b"oops", "again", "answered 500 Internal Server Error (oops)"),
        (503, b"", "again", "answered 503 Service Unavailable"),
        (429, b'{"retry": 30}', "again", 'answered 429 Too Many Requests ({"retry": 30})'),
        (400, b"invalid_payload", "refused", "answered 400 Bad Request (invalid_payload)"),
        (403, b"", "refused", "answered 403 Forbidden; the channel's URL may have been revoked or mistyped"),
        (302, b"", "refused", "answered 302 Found; write the address that it redirects to into the channel's URL"),
        (599, b"x" * 5000, "again", f"answered 599 unknown status ({'x' * 99}…)"),
    ],
)
def test_what_a_web_service_answers_decides_whether_it_is_tried_again(web, status, body, state, reason):
    web.answer(status, body, Location=f"http://127.0.0.1:{web.port}/elsewhere", Retry_After="30")
    assert send(open_channel("ops", f"json://127.0.0.1:{web.port}/in"), message()) == Outcome(state, reason)
    assert len(web.requests) == 1, "a redirect is not followed: the message would be lost on the way"


def test_nobody_listens():
    port = free_port()
    outcome = send(open_channel("ops", f"json://127.0.0.1:{port}/in/t0ken"), message())
    assert outcome.state == "again"
    assert outcome.reason == (
        f"no connection: 127.0.0.1:{port}: Failed to establish a new connection: [Errno 111] Connection refused"
    )
    mail = f"mailto://127.0.0.1:{port}/?from=monitor@example.com&to=ops@example.com&mode=insecure"
    assert send(open_channel("ops", mail), message()) == Outcome(
        "again", "no connection: [Errno 111] Connection refused"
    )


def test_a_server_that_speaks_no_tls(web):
    outcome = send(open_channel("ops", f"jsons://127.0.0.1:{web.port}/in"), message())
    assert outcome.state == "again"
    assert outcome.reason.startswith("the server speaks no TLS; write http into the field Schema of its connection")


def test_a_server_that_thinks_too_long_is_left(web):
    web.before_answer = lambda: time.sleep(0.5)
    outcome = send(open_channel("ops", f"json://127.0.0.1:{web.port}/in?rto=0.1"), message())
    assert outcome == Outcome("again", f"no connection: 127.0.0.1:{web.port}: Read timed out. (read timeout=0.1)")


def test_a_server_that_answers_for_ever_is_left():
    with dripping_server() as port:
        began = time.monotonic()
        outcome = send(open_channel("ops", f"json://127.0.0.1:{port}/in", seconds=0.3), message(), seconds=0.3)
        assert time.monotonic() - began < 2
    assert outcome == Outcome("again", "JSON has not answered within 0.3 s")


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory):
    """What a server with a certificate of its own making speaks TLS with."""
    context, _ = own_certificate(tmp_path_factory.mktemp("tls"))
    return context


def test_a_certificate_that_nobody_vouches_for(self_signed):
    with web_server(self_signed) as web:
        outcome = send(open_channel("ops", f"jsons://127.0.0.1:{web.port}/in/t0ken"), message())
        assert web.requests == []
    assert outcome.state == "again"
    assert "CERTIFICATE_VERIFY_FAILED" in outcome.reason
    assert "self-signed certificate" in outcome.reason


def test_mail_is_encrypted_before_the_password_is_sent(self_signed):
    with mail_server(("ada", "hu5h-w0rd"), self_signed) as mail:
        url = f"mailtos://ada:hu5h-w0rd@127.0.0.1:{mail.port}/?from=a@example.com&to=ops@example.com&mode=starttls"
        outcome = send(open_channel("ops", url), message())
        assert (outcome.state, mail.letters) == ("again", [])
        assert "self-signed certificate" in outcome.reason
        assert send(open_channel("ops", f"{url}&verify=no"), message()) == Outcome("sent")
        plain = send(open_channel("ops", url.replace("mailtos", "mailto").replace("starttls", "insecure")), message())
        assert plain.reason == "the mail server answered 530 Must issue a STARTTLS command first"
    assert len(mail.letters) == 1


@pytest.mark.parametrize(
    ("url", "render", "form"),
    [
        (MAIL, html, "html"),
        (f"{MAIL}&format=text", plain_text, "text"),
        (f"slack://{SLACK}", markdown, "markdown"),
        ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", markdown, "markdown"),
        ("tgram://123456789:AAF8x2tDWdZWPbsQ9gkeLKlG9ZYcW7vQmYU/12315544", markdown, "markdown"),
        ("workflows://host.example.com/643a8d8e/signature", markdown, "markdown"),
        ("json://127.0.0.1", plain_text, "text"),
        ("json://127.0.0.1?format=markdown", markdown, "markdown"),
        ("mmost://127.0.0.1/3ccdd113474722377935511fc85d3dd4", plain_text, "text"),
        ("mmost://127.0.0.1/3ccdd113474722377935511fc85d3dd4?format=markdown", markdown, "markdown"),
    ],
)
@pytest.mark.usefixtures("_marked")
def test_each_channel_gets_the_format_that_it_shows(url, render, form):
    title, body, found = rendered(open_channel("ops", url), message())
    assert (title, found.value) == (message().title, form)
    assert body.startswith(f"as {render.__name__.rpartition('.')[2]}")


@pytest.mark.parametrize(
    ("url", "most"),
    [
        ("workflows://host.example.com/643a8d8e/signature", 4000),
        ("workflows://host.example.com/643a8d8e/signature?overflow=split", 1000),
        (f"slack://{SLACK}", 8000),
        (f"slack://{SLACK}?blocks=yes", 2800),
    ],
)
@pytest.mark.usefixtures("_marked")
def test_no_more_than_the_service_takes(url, most):
    assert rendered(open_channel("ops", url), message())[1] == f"as markdown, at most {most}"


@pytest.mark.usefixtures("_marked")
def test_a_channel_of_short_messages_gets_the_title(monkeypatch):
    sms = open_channel("ops", "clicksend://user:hush-key@3735550123")
    monkeypatch.setattr(type(sms.service), "body_maxlen", 160)
    assert rendered(sms, message())[:2] == ("", message().title)


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_teams_gets_all_of_a_message_in_one_card(self_signed):
    """More than Apprise's limit, which it does not keep itself; not so odd that Teams' 28 KB would be exceeded."""
    long = replace(message(), blocks=(*message().blocks, Paragraph("ä" * 1000), Paragraph("▇" * 1000)))
    with web_server(self_signed) as web:
        url = f"workflows://127.0.0.1:{web.port}/643a8d8e/signature?verify=no"
        assert send(open_channel("ops", url), long) == Outcome("sent")
    (request,) = web.requests
    card = request.json["attachments"][0]["content"]["body"]
    assert [card[0]["text"], card[1]["text"]] == [long.title, markdown.render(long)[1]]
    assert "0.31" in card[1]["text"]
    assert len(request.body) < 28_000


@pytest.fixture
def _marked(monkeypatch):
    """Renderers that say which they are, and how much they may say."""
    for one in (html, markdown, plain_text):
        name = one.__name__.rpartition(".")[2]
        monkeypatch.setattr(one, "render", lambda m, limit=None, name=name: (m.title, f"as {name}, at most {limit}"))


@pytest.mark.parametrize(
    ("event", "severity", "expected"),
    [("opened", "critical", "failure"), ("opened", "medium", "warning"), ("continued", "low", "info"),
     ("resolved", "critical", "success"), ("withdrawn", "high", "success"), ("opened", "", "info")],
)  # fmt: skip
def test_how_bad_it_is_colours_the_message(web, event, severity, expected):
    send(open_channel("ops", f"json://127.0.0.1:{web.port}"), Message("t", severity, event))
    assert web.requests[0].json["type"] == expected


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("foo://hunter22/x", "though it begins with foo://;"),
        ("hunter22", "can use; it is not shown"),
        ("json://", "though it begins with json://;"),
        ("hunter22://x", "though it begins with hunter22://"),
        ("slack://hunter22", "An invalid Slack (second) Token (None) was specified."),
        ("mailto://ada:hunter22@host", "Invalid ~From~ email specified"),
    ],
)
def test_a_url_that_cannot_be_used_is_named_and_not_shown(caplog, url, said):
    caplog.set_level(1)
    with pytest.raises(ConfigError, match=r"^channel 'ops': its URL is not one that Apprise can use") as error:
        open_channel("ops", url)
    assert said in str(error.value)
    assert "monitoring-tasks alerts test ops" in str(error.value)
    if not url.startswith("hunter22://"):
        assert "hunter22" not in str(error.value) + repr(error.value) + caplog.text


SECRETS = ("hu5h-w0rd", "t0ken-in-path", "t0ken-in-header", "t0ken-in-query")


@pytest.mark.parametrize("status", [200, 302, 403, 500])
def test_secrets_reach_no_log_and_no_reason(web, caplog, status):
    """Not even when everything is logged, and the server repeats what it was sent."""
    caplog.set_level(1)
    for name in ("apprise", "urllib3", "urllib3.connectionpool"):
        caplog.set_level(1, logger=name)
    web.answer(status, " ".join(SECRETS).encode(), Location=f"http://127.0.0.1:{web.port}/t0ken-in-path")
    url = (
        f"json://ada:hu5h-w0rd@127.0.0.1:{web.port}/in/t0ken-in-path"
        "?+Authorization=Bearer%20t0ken-in-header&-key=t0ken-in-query"
    )
    channel = open_channel("ops", url)
    outcome = send(channel, message())
    refused = send(open_channel("ops", url.replace(str(web.port), str(free_port()))), message())
    assert "t0ken-in-query" in web.requests[0].path, "they were sent"
    for secret in SECRETS:
        assert secret not in caplog.text
        assert secret not in f"{outcome}{refused}{channel!r}"
    logging.getLogger("apprise").warning("of another part of the process")
    assert "of another part of the process" in caplog.text
    assert logging.getLogger("apprise").level == 1, "as it was"


def test_what_a_thread_says_after_it_was_left_reaches_no_log(caplog):
    """Apprise leaves the thread of a service that does not answer behind, in a copy of the context it was begun in."""
    caplog.set_level(1)
    with _heard():
        left_behind = copy_context()
    for name in ("apprise", "urllib3.connectionpool", "requests"):
        left_behind.run(logging.getLogger(name).warning, "POST /in/t0ken")
    assert "t0ken" not in caplog.text


def test_a_failed_mail_login_reaches_no_log(caplog):
    caplog.set_level(1)
    caplog.set_level(1, logger="apprise")
    with mail_server(login=("ada", "another")) as mail:
        channel = open_channel("ops", mail_url(mail, login="ada:hu5h-w0rd@"))
        outcome = send(channel, message())
    assert "hu5h-w0rd" not in f"{caplog.text}{outcome}{channel!r}"
    assert "YWRh" not in caplog.text.replace("mail.log", ""), "nor in base64"
