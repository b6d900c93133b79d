import json

import pytest
from airflow.sdk import Connection

from monitoring_tasks.airflow.channels import apprise_url_of, channel_of
from monitoring_tasks.delivery.send import open_channel
from monitoring_tasks.errors import ConfigError, TransientError

SLACK = "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    monkeypatch.delenv("MONITORING_CHANNEL_OPS", raising=False)


def connection(conn_type, extra=None, **fields):
    return Connection(conn_id="ops", conn_type=conn_type, extra=None if extra is None else json.dumps(extra), **fields)


def service_of(*arguments, **fields):
    return open_channel("ops", apprise_url_of(connection(*arguments, **fields))).service


def test_the_environment_wins_over_the_connection(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_OPS", json.dumps({"conn_type": "http", "host": "https://hooks.example.com/in"}))
    assert channel_of("ops") == "jsons://hooks.example.com/in"
    monkeypatch.setenv("MONITORING_CHANNEL_OPS", "json://elsewhere.example.com")
    assert channel_of("ops") == "json://elsewhere.example.com"


def test_an_unknown_channel_names_both_remedies_and_may_be_known_later():
    """Airflow says the same when its API server does not answer."""
    with pytest.raises(TransientError, match=r"channel 'ops' is not known: set MONITORING_CHANNEL_OPS .* a connection"):
        channel_of("ops")


@pytest.mark.parametrize(
    ("extra", "port", "mode", "used_port"),
    [
        ({}, None, "ssl", 465),
        ({"disable_ssl": True}, 2525, "starttls", 2525),
        ({"disable_ssl": True, "disable_tls": True}, None, "insecure", 25),
    ],
)
def test_mail_is_encrypted_as_the_smtp_hook_does_it(extra, port, mode, used_port):
    extra = {"from_email": "monitor@example.com", "to": ["ops@example.com", "boss@example.com"], **extra}
    fields = {"host": "smtp.example.com", "port": port, "login": "ada@example.com", "password": "p@ss/w:rd?"}
    service = service_of("smtp", extra, **fields)
    assert (service.smtp_host, service.port, service.secure_mode) == ("smtp.example.com", used_port, mode)
    assert (service.user, service.password) == ("ada@example.com", "p@ss/w:rd?")
    assert service.from_addr[1] == "monitor@example.com"
    assert [address for _, address in service.targets] == ["ops@example.com", "boss@example.com"]


@pytest.mark.parametrize(
    ("arguments", "fields", "url"),
    [
        (["generic", {"apprise": "ntfys://ntfy.example.com/ops"}], {}, "ntfys://ntfy.example.com/ops"),
        (["generic", {"url": "json://example.com"}], {"host": "other"}, "json://example.com"),
        (["slackwebhook"], {"password": SLACK}, f"https://hooks.slack.com/services/{SLACK}"),
        (
            ["slackwebhook"],
            {"password": f"https://hooks.slack.com/services/{SLACK}"},
            f"https://hooks.slack.com/services/{SLACK}",
        ),
        (
            ["slack", {"channel": "#ops"}],
            {"password": "xoxb-1234-1234-abc124"},
            "slack://xoxb-1234-1234-abc124/%23ops",
        ),
        (
            ["discord", {"webhook_endpoint": "webhooks/4174216298/JHMHI8qBe7bk2Zw"}],
            {"host": "https://discord.com/api/"},
            "discord://4174216298/JHMHI8qBe7bk2Zw",
        ),
        (["telegram"], {"password": "123456789:AAF8x2td", "host": "-10012345"}, "tgram://123456789:AAF8x2td/-10012345"),
        (["http"], {"host": "hooks.example.com/in"}, "jsons://hooks.example.com/in"),
        (["http"], {"host": "[::1]", "schema": "http", "port": 8080}, "json://[::1]:8080"),
        (["http"], {"host": "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2Zw"}, None),
    ],
)
def test_the_url_of_a_connection(arguments, fields, url):
    found = apprise_url_of(connection(*arguments, **fields))
    assert found == (url or fields["host"])
    assert open_channel("ops", found).service


def test_a_webhook_gets_the_connections_login_and_headers():
    extra = {"X-Team": "a&b", "Authorization": "Bearer t0ken", "timeout": 5, "verify": False}
    host = "https://hooks.example.com:8443/in/t0?key=v1"
    service = service_of("http", extra, host=host, login="ada", password="p@ss/w:rd?")
    assert service.headers == {"X-Team": "a&b", "Authorization": "Bearer t0ken"}
    assert (service.secure, service.host, service.port, service.fullpath) == (
        True, "hooks.example.com", 8443, "/in/t0"
    )  # fmt: skip
    assert (service.user, service.password, service.params) == ("ada", "p@ss/w:rd?", {"key": "v1"})


@pytest.mark.parametrize(
    ("arguments", "fields", "text"),
    [
        (["aws"], {}, 'connection \'ops\' (aws) is no channel that messages can be sent to: write an Apprise URL into'),
        (["smtp", {"from_email": "a@example.com"}], {"host": "x"}, "does not say who gets it: write {\"to\":"),
        (["smtp", {"to": "a@example.com"}], {"host": "x", "login": "ada"}, "does not say who sends it: write"),
        (["smtp", {"to": "a@b.de", "from_email": "a@b.de"}], {}, "(smtp) does not say its host: fill it in"),
        (["slackwebhook"], {}, "(slackwebhook) does not say its password: fill it in"),
        (["slack"], {"password": "xoxb-1-1-a"}, 'does not say who gets it: write {"channel": "#ops"}'),
        (["discord"], {"password": "hunter22"}, "does not say its webhook"),
        (["http"], {"schema": "https"}, "(http) does not say its host: fill it in"),
        (["http"], {"host": "h", "schema": "ftp"}, "has 'ftp' in its field Schema: write https, or http if the server"),
    ],
)  # fmt: skip
def test_a_connection_that_is_no_channel_says_what_to_do(arguments, fields, text):
    with pytest.raises(ConfigError) as error:
        apprise_url_of(connection(*arguments, **fields))
    assert text in str(error.value)
    assert "hunter22" not in str(error.value)


def test_an_extra_field_that_is_no_json():
    with pytest.raises(ConfigError, match="connection 'ops': its extra field is not JSON"):
        apprise_url_of(Connection(conn_id="ops", conn_type="smtp", extra="{to}"))


def test_secrets_are_masked_in_the_tasks_log(monkeypatch):
    from airflow.sdk._shared.secrets_masker import redact

    url = "json://ada:hushed@hooks.example.com/services/t0ken?+Authorization=Bearer%20abcXYZ"
    monkeypatch.setenv("MONITORING_CHANNEL_OPS", url)
    assert channel_of("ops") == url
    masked = redact(f"POST {url} abcXYZ")
    assert masked.startswith("POST json://ada:***@hooks.example.com/services/***?+Authorization=***")
    assert "abcXYZ" not in masked, "nor the token alone"
