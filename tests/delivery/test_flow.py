"""From a drift in the warehouse to a letter and a webhook: the whole way, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from monitoring_tasks.delivery.deliver import deliver
from monitoring_tasks.delivery.send import open_channel
from monitoring_tasks.results.migrate import migrate
from monitoring_tasks.results.store import open_store
from monitoring_tasks.run import run_windows
from tests import inference_log
from tests.delivery.servers import mail_server, web_server
from tests.inference_log import FIRST, SHIFTED

ALERTS = """
alerts:
  - name: drift
    when: {check: data_drift, status: alarm, windows: 1 of 1}
    severity: high
    notify: [mail, hook]
"""


def test_a_drift_is_told_by_mail_and_webhook_and_so_is_its_end(warehouse, tmp_path, monkeypatch):
    mail_service = type(open_channel("mail", "mailto://127.0.0.1/?from=a@example.com&to=b@example.com").service)
    monkeypatch.setattr(mail_service, "request_rate_per_sec", 0)  # a pause between two letters
    monitor = inference_log.monitor("{data_drift: {metrics: [psi]}}", ALERTS)
    url = f"sqlite:///{tmp_path / 'results.db'}"
    migrate(url)
    start, end = FIRST + timedelta(days=SHIFTED - 1), FIRST + timedelta(days=SHIFTED + 2)
    with open_store(url) as store, mail_server() as mail, web_server() as web:
        run_windows(monitor, start, end, warehouse=warehouse, store=store, notify=True)
        urls = {
            "mail": f"mailto://127.0.0.1:{mail.port}/?from=monitor@example.com&to=ops@example.com&mode=insecure",
            "hook": f"json://127.0.0.1:{web.port}/in/t0ken",
        }
        delivered = deliver(store, "loans", urls.__getitem__)
        assert (delivered.waiting, delivered.failed) == ((), ())
        assert delivered.sent == len(mail.letters) + len(web.requests) == 4
        run_windows(monitor, start, end, warehouse=warehouse, store=store, notify=True)
        later = datetime.now(UTC) + timedelta(days=1)
        assert deliver(store, "loans", urls.__getitem__, now=lambda: later).sent == 0, "running again tells nobody"
    subjects = [str(letter["subject"]) for letter in mail.letters]
    assert subjects == web.titles
    assert [request.json["type"] for request in web.requests] == ["failure", "success"]
    opened = web.requests[0].json["message"]
    assert "amount" in opened
    assert "monitoring-tasks alerts ack" in opened
    html = mail.letters[0].get_body(("html",)).get_content()
    assert "amount" in html
    assert "bgcolor" in html, "the picture of the drift is in the letter"
