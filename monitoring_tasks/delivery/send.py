"""One message to one channel, by Apprise: in the format the channel takes, within bounded time, without its secrets.

Apprise says True or False, and why in its log, where its DEBUG lines hold whole URLs. So what Apprise and its HTTP
client log while they send for us is kept from every handler, and the reason is read from it, see `_heard`.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Lock
from typing import Literal

from apprise import Apprise, AppriseAsset, AppriseResultStatus, NotifyBase, NotifyFormat, NotifyType, OverflowMode
from apprise.plugins.custom_form import NotifyForm
from apprise.plugins.custom_json import NotifyJSON
from apprise.plugins.custom_xml import NotifyXML
from apprise.plugins.slack import NotifySlack
from apprise.plugins.workflows import NotifyWorkflows
from apprise.url import URLBase

from monitoring_tasks.alerts import html, markdown, plain_text
from monitoring_tasks.alerts.message import Message
from monitoring_tasks.delivery.redaction import redacted
from monitoring_tasks.errors import ConfigError
from monitoring_tasks.url import speaks_no_tls

SECONDS = 30.0
"""How long one message may take; a channel that has not answered by then is tried again later."""

READ_SECONDS = 20.0
"""How long a web service may think about a message. Apprise's 4 s would send twice what a slow one has accepted."""

SHORT = 500
"""Characters: a channel that takes fewer, such as SMS, gets the title alone."""

SLACK_ATTACHMENT, SLACK_BLOCK = 8000, 2800
"""Characters of a body in Slack, which shows no more of an attachment's text, and refuses a block of more than 3,000.
Apprise says 35,000 for both, and writes & < > longer than they are."""

TEAMS_CARD = 4000
"""Characters of a body in Teams, which takes 28 KB of JSON, where one character may be six. Apprise says 1,000, and
sends what it is given all the same."""

LONGEST_REASON = 300
"""Characters of a reason that are kept."""

_KINDS = {
    "low": NotifyType.INFO,
    "medium": NotifyType.WARNING,
    "high": NotifyType.FAILURE,
    "critical": NotifyType.FAILURE,
}
"""What Apprise colours by; what has ended is a success however bad it was."""

_HEAL_BY_WAITING = frozenset({408, 423, 425, 429})
"""HTTP statuses of a request that may be answered otherwise later, besides all from 500."""

_TALKATIVE = ("apprise", "urllib3", "requests", "charset_normalizer")
"""Loggers, and those below them, that write what is sent, and where to."""

_STATUS = re.compile(r"error=(\d{3})\b")
_SMTP_REPLY = re.compile(
    r"(?:'(?P<to>[^']+)': )?(?:\(|refused: )(?P<code>[245]\d\d),? (?P<text>b'(?:[^'\\]|\\.)*'|b\"(?:[^\"\\]|\\.)*\")"
)
_REPLY = re.compile(r"Response Details:\s*b?['\"]?(?P<text>.*?)['\"]?\s*\Z", re.DOTALL)
_EXCEPTION = re.compile(r"(?:Socket|Notification) Exception: (?P<text>.*)", re.DOTALL)
_PLACE = re.compile(r"HTTPS?Connection(?:Pool)?\(host='([^']*)', port=(\d+)[^)]*\): ")
_CAUSE = re.compile(r"Caused by \w+\((?P<text>.*?)\)*\Z", re.DOTALL)

_lines: ContextVar[list[str] | None] = ContextVar("monitoring_tasks_channel_lines", default=None)
_level = Lock()


@dataclass(frozen=True)
class Channel:
    """An open channel."""

    name: str
    url: str = field(repr=False)
    service: NotifyBase = field(repr=False)

    @property
    def kind(self) -> str:
        """What it is, such as Slack."""
        return str(self.service.service_name)


@dataclass(frozen=True)
class Outcome:
    """How one attempt to send a message ended."""

    state: Literal["sent", "again", "refused"]
    """``again``: waiting may heal it; ``refused``: only an edit does."""
    reason: str = ""
    """Why it was not sent; of one that was sent, which recipients refused it. Holds no secret of the URL."""


def open_channel(name: str, url: str, *, seconds: float = SECONDS) -> Channel:
    """Return the channel of an Apprise URL. Connects to nothing yet.

    Redirects are not followed unless the URL says ``redirect=yes``: a redirected POST arrives without its content, and
    the answer is a success all the same.

    Parameters
    ----------
    seconds
        How long connecting may take, and waiting for an answer; ``cto`` and ``rto`` in the URL make it less, or the
        answer's more.

    Raises
    ------
    ConfigError
        If Apprise cannot read the URL. The error names the channel and shows nothing of the URL but its scheme.
    """
    asset = AppriseAsset(
        app_id="Monitoring Tasks",
        app_desc="Model monitoring",
        storage_mode="memory",
        http_redirects=False,
        image_url_mask="",
        service_timeout=0,
    )
    service, reason = None, ""
    with _heard() as lines:
        try:
            with warnings.catch_warnings():  # Apprise imports all its services here, and they what Python deprecates
                warnings.simplefilter("ignore", DeprecationWarning)
                service = Apprise.instantiate(url, asset=asset, suppress_exceptions=False)
        except (
            TypeError
        ) as error:  # all that Apprise's services raise of a wrong URL; AppriseImproperlyConfigured is one
            lines.append(str(error))
    if service is None:
        scheme, colon, _ = url.partition("://")
        if colon and re.fullmatch(r"[a-z0-9+]{1,20}", scheme):
            said = redacted(lines[-1], url) if lines else ""
            reason = f", though it begins with {scheme}://" + (
                f" ({_short(said)})" if "Unparseable" not in said else ""
            )
        raise ConfigError(
            f"channel {name!r}: its URL is not one that Apprise can use{reason}; it is not shown, it may hold a "
            "password. Write it as Apprise's list of services says, such as "
            "mailtos://USER:PASSWORD@HOST?to=ops@example.com, and try it with "
            f"`monitoring-tasks alerts test {name}`"
        )
    if service.socket_read_timeout == URLBase.socket_read_timeout:
        service.socket_read_timeout = min(READ_SECONDS, seconds)
    service.socket_connect_timeout = min(service.socket_connect_timeout, seconds)
    return Channel(name, url, service)


def is_apprise_url(url: str) -> bool:
    """Tell whether Apprise knows the service of a URL: by its own schemes, or by a web service's address.

    Examples
    --------
    >>> is_apprise_url("https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7")
    True
    >>> is_apprise_url("https://hooks.example.com/in")
    False
    """
    try:
        open_channel("any", url)
    except ConfigError:
        return False
    return True


def send(channel: Channel, message: Message, *, key: str = "", seconds: float = SECONDS) -> Outcome:
    """Send a message to a channel, in the format that it takes; returns how that ended, and raises nothing of it.

    A web server of one's own is told the message's key in the header ``Idempotency-Key``: the same when it is sent
    again, so that what comes twice can be known.

    A channel of several recipients counts as told when one of them has the message: sending it again would tell that
    one twice. Who refused it stands in the reason.
    """
    title, body, form = rendered(channel, message)
    kind = (
        NotifyType.SUCCESS
        if message.event in ("resolved", "withdrawn")
        else _KINDS.get(message.severity, NotifyType.INFO)
    )
    if key and isinstance(channel.service, NotifyForm | NotifyJSON | NotifyXML):
        channel.service.headers = {**channel.service.headers, "Idempotency-Key": key}
    sender = Apprise(asset=channel.service.asset)
    sender.add(channel.service)
    with _heard() as lines:
        result = sender.notify(body=body, title=title, notify_type=kind, body_format=form, timeout=seconds)
    if result:
        return Outcome("sent")
    return _outcome(lines, channel, timed_out=result.status == AppriseResultStatus.TIMEOUT, seconds=seconds)


def rendered(channel: Channel, message: Message) -> tuple[str, str, NotifyFormat]:
    """Return title, body and format as the channel takes them.

    HTML for mail, Markdown where the service shows it, else plain text; ``format=`` in the URL wins. A service that
    passes on whatever it gets (``json://``, ``xml://``) gets plain text.
    """
    service = channel.service
    takes = [form for form in NotifyFormat if service.resolve_format(form) is form]
    if len(takes) == len(NotifyFormat):
        form = NotifyFormat.TEXT
    elif NotifyFormat.MARKDOWN in takes:
        form = NotifyFormat.MARKDOWN
    else:
        form = service.resolve_format(None)
    longest = _longest(service)
    if longest < SHORT:
        return "", message.title[:longest], form
    if form is NotifyFormat.HTML:  # mail takes any length, and half a page of HTML is none
        return *html.render(message), form
    limit = longest if service.title_maxlen else longest - len(message.title) - 10
    render = markdown.render if form is NotifyFormat.MARKDOWN else plain_text.render
    title, body = render(message, limit)
    return title, body or title, form


def _longest(service: NotifyBase) -> int:
    """Return how many characters a service takes, where Apprise knows too little of it or is overcautious."""
    apprise = int(service.body_maxlen)
    if isinstance(service, NotifySlack):
        return min(apprise, SLACK_BLOCK if service.use_blocks else SLACK_ATTACHMENT)
    if isinstance(service, NotifyWorkflows) and service.overflow_mode is OverflowMode.UPSTREAM:  # else Apprise cuts
        return max(apprise, TEAMS_CARD)
    return apprise


@contextmanager
def _heard() -> Iterator[list[str]]:
    """Yield the lines that Apprise and its HTTP client log from here on in this context; nothing else sees them.

    Also what a thread that Apprise has left behind after a timeout says later, since it runs in a copy of this context.
    """
    apprise = logging.getLogger("apprise")
    names = [name for name in (*_TALKATIVE, *logging.root.manager.loggerDict) if name.partition(".")[0] in _TALKATIVE]
    for name in names:
        logging.getLogger(name).addFilter(_keep)  # a filter that is there is not added again
    lines: list[str] = []
    token = _lines.set(lines)
    try:
        with _level:
            before = apprise.level
            apprise.setLevel(logging.DEBUG)
            try:
                yield lines
            finally:
                apprise.setLevel(before)
    finally:
        _lines.reset(token)


def _keep(record: logging.LogRecord) -> bool:
    """Keep a record from the log and the line for us, if it is of our sending."""
    lines = _lines.get()
    if lines is None:
        return True
    if record.name == "apprise":
        lines.append(record.getMessage())
    return False


def _outcome(lines: list[str], channel: Channel, *, timed_out: bool, seconds: float) -> Outcome:
    """Read from Apprise's lines what went wrong, and whether waiting may heal it."""
    lines = [redacted(line, channel.url) for line in lines]  # first: a part of a secret would not be found any more
    text = "\n".join(lines)
    statuses = [int(code) for code in _STATUS.findall(text)]
    replies = [match for line in lines for match in _SMTP_REPLY.finditer(line)]
    exceptions = [match["text"] for line in lines if (match := _EXCEPTION.search(line))]
    if timed_out:
        return Outcome("again", f"{channel.kind} has not answered within {seconds:g} s")
    if statuses:
        reason, for_good = _of_status(statuses[-1], lines), not _heals(statuses[-1])
    elif replies:
        said = "; ".join(dict.fromkeys(_smtp_words(each) for each in replies))
        reason, for_good = f"the mail server answered {said}", all(each["code"][0] == "5" for each in replies)
    elif exceptions:
        cause = _CAUSE.search(exceptions[-1])
        said = (cause["text"] if cause else exceptions[-1]).strip("'\"")
        reason, for_good = "no connection: " + _PLACE.sub(r"\1:\2: ", said), False
        if speaks_no_tls(said):
            reason = (
                "the server speaks no TLS; write http into the field Schema of its connection, or json:// for jsons://"
            )
    else:
        reason, for_good = lines[-1] if lines else f"{channel.kind} gave no reason", False
    reason = _short(reason)
    if any(line.startswith("Sent ") for line in lines):
        return Outcome("sent", f"not to all recipients: {reason}")
    return Outcome("refused" if for_good else "again", reason)


def _smtp_words(reply: re.Match[str]) -> str:
    to = f"to {reply['to']}: " if reply["to"] else ""
    return f"{to}{reply['code']} {reply['text'][2:-1]}"


def _heals(status: int) -> bool:
    return status >= 500 or status in _HEAL_BY_WAITING


def _of_status(status: int, lines: list[str]) -> str:
    name = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "unknown status"
    reply = next((match["text"].strip() for line in reversed(lines) if (match := _REPLY.search(line))), "")
    remedy = ""
    if 300 <= status < 400:
        remedy = "; write the address that it redirects to into the channel's URL"
    elif status in (401, 403, 404, 410):
        remedy = "; the channel's URL may have been revoked or mistyped"
    return f"answered {status} {name}" + (f" ({_short(reply, 100)})" if reply else "") + remedy


def _short(text: str, longest: int = LONGEST_REASON) -> str:
    line = " ".join(text.replace("\\r", " ").replace("\\n", " ").split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"
