import base64

import pytest

from monitoring_tasks.delivery.redaction import redacted, secrets


@pytest.mark.parametrize(
    ("url", "hidden", "open_parts"),
    [
        (
            "mailtos://ada:hush@smtp.example.com:587?to=ops@example.com",
            ["hush"],
            ["smtp.example.com", "ops@example.com"],
        ),
        ("mailtos://ada:hu%2Fsh%20h@smtp.example.com/ops@example.com", ["hu%2Fsh%20h", "hu/sh h"], ["ops@example.com"]),
        ("mailto://ada:no@smtp.example.com?to=a@example.com,b@example.com", ["no"], ["a@example.com", "b@example.com"]),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazk#ops", ["T1JJ3T3L2", "A1BRTD4JD", "TIiajkdnlazk"], []),
        ("https://hooks.slack.com/services/T1JJ3/B1BRT/TIiaj", ["T1JJ3", "B1BRT", "TIiaj"], ["hooks.slack.com"]),
        ("json://web:hush@10.0.0.7:80/in/t0ken?+Authorization=Bearer%20ey.J", ["hush", "t0ken", "ey.J"], ["10.0.0.7"]),
        ("tgram://123456789:AAbbCC/12315544", ["123456789:AAbbCC", "AAbbCC", "12315544"], []),
        ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", ["4174216298", "JHMHI8qBe7bk2ZwO5U711o3dV_js"], []),
        ("jsons://hooks.example.com/x?access_token=abcd1234&method=PUT", ["abcd1234"], ["hooks.example.com", "PUT"]),
        ("ntfys://tk.AgQdq7mVBoFD37zQVN29R@ntfy.example.com/ops-7", ["tk.AgQdq7mVBoFD37zQVN29R"], ["ntfy.example.com"]),
        ("hunter22", ["hunter22"], []),
    ],
)
def test_all_parts_are_hidden_but_hosts_and_addresses(url, hidden, open_parts):
    for part in hidden:
        assert redacted(f"said <{part}> to {url}", url).count(part) == 0, part
    for part in open_parts:
        assert redacted(f"said <{part}>", url) == f"said <{part}>"


@pytest.mark.parametrize("joined", ["ada:hu sh", "\0ada\0hu sh", "hu sh"])
def test_the_login_is_hidden_as_servers_echo_it(joined):
    echoed = base64.b64encode(joined.encode()).decode()
    assert echoed not in redacted(f"no such login: {echoed}", "json://ada:hu%20sh@example.com")


def test_a_text_without_secrets_stays_as_it_is():
    assert redacted("answered 404 Not Found", "json://example.com/hook") == "answered 404 Not Found"
    assert secrets("json://localhost") == ()
