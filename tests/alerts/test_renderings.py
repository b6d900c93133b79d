"""What others wrote does no harm in any rendering, and every body fits its channel."""

from __future__ import annotations

import json
import re
import unicodedata
from html.parser import HTMLParser

import pytest
from apprise.plugins.slack import NotifySlack
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from monitoring_tasks.alerts import html, markdown, plain_text
from monitoring_tasks.alerts.message import (
    BLOCKS,
    Bars,
    Block,
    Code,
    Course,
    Facts,
    Headline,
    Links,
    Message,
    Numbers,
    Paragraph,
    web_address,
)
from tests.alerts.hostile import TEXTS

TAGS = {"html", "head", "meta", "title", "body", "div", "table", "tr", "td", "th", "h1", "p", "span", "pre", "a"}
ATTRIBUTES = {"lang", "charset", "name", "content", "role", "href", "title", "style", "align", "valign", "bgcolor"} | {
    "width",
    "height",
    "cellpadding",
    "cellspacing",
    "border",
    "colspan",
}
RUN = "https://airflow.example.com/runs/1"

texts = st.sampled_from(TEXTS) | st.text(max_size=40) | st.lists(st.sampled_from(TEXTS), max_size=3).map("".join)
shares = st.floats(0, 1)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """Draw a message with a block of each kind, and any text in all of them."""
    names = draw(st.lists(texts, min_size=1, max_size=3))
    count = len(names)
    sides = [tuple(draw(st.lists(shares, min_size=count, max_size=count))) for _ in range(2)]
    values = tuple(draw(st.lists(st.none() | st.floats(), min_size=count, max_size=count)))
    blocks: list[Block] = [
        Headline(draw(texts)),
        Paragraph(draw(texts)),
        Facts(tuple((name, draw(texts)) for name in names)),
        Numbers(
            draw(texts), ("column", "metric", "value"), tuple((name, draw(texts), draw(texts)) for name in names), 3
        ),
        Bars(draw(texts), tuple(names), *sides, 10, 20, draw(texts), draw(texts)),
        Course(
            draw(texts),
            tuple(names),
            values,
            tuple(names),
            tuple(names),
            0.5,
            draw(st.none() | st.floats()),
            draw(texts),
        ),
        Code(draw(texts), draw(texts)),
        Code(draw(texts), draw(texts), "shell"),
        Links(((draw(texts), RUN), (draw(texts), draw(texts)), ("x", "javascript:alert(1)"))),
    ]
    return Message(draw(texts), draw(st.sampled_from(["low", "critical", "odd"])), "opened", tuple(blocks))


@settings(max_examples=40)
@given(messages())
def test_a_message_survives_json(message: Message) -> None:
    text = json.dumps(message.to_json(), allow_nan=False)
    text.encode()
    assert "\\u0000" not in text
    assert Message.from_json(json.loads(text)) == message


def test_every_kind_of_block_is_rendered() -> None:
    message = Message("title", "high", "opened", (Headline("one"), Facts((("two", "three"),))))
    assert set(BLOCKS) == {"headline", "paragraph", "facts", "numbers", "bars", "course", "code", "links"}
    for render in (plain_text.render, markdown.render, html.render):
        title, body = render(message)
        assert title == "title"
        assert all(word in body for word in ("one", "two", "three"))


def test_what_a_newer_version_wrote_is_left_out() -> None:
    values = Message("title", "high", "opened", (Headline("one"),)).to_json()
    values["blocks"] += [{"block": "hologram", "depth": 3}]
    values["blocks"][0]["colour"] = "red"
    assert Message.from_json(values) == Message("title", "high", "opened", (Headline("one"),))


class Page(HTMLParser):
    """Every tag with its attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data


@settings(max_examples=40)
@given(messages())
def test_html_holds_no_markup_of_others(message: Message) -> None:
    _, body = html.render(message)
    page = Page(body)
    assert page.open == []
    assert {tag for tag, _ in page.tags} <= TAGS
    for tag, attributes in page.tags:
        assert set(attributes) <= ATTRIBUTES
        if tag == "a":
            assert str(attributes["href"]).startswith(("http://", "https://"))
        assert "url(" not in str(attributes.get("style"))
    for block in message.blocks:
        if isinstance(block, Headline | Paragraph):
            assert block.text in page.words


@settings(max_examples=40)
@given(messages())
def test_markdown_holds_no_markup_of_others(message: Message) -> None:
    title, body = markdown.render(message, None)
    addresses = {url for block in message.blocks if isinstance(block, Links) for _, url in block.pairs}
    for token in MarkdownIt("commonmark").parse(body):
        assert token.type not in ("html_block", "heading_open", "blockquote_open", "hr", "code_block")
        for child in token.children or []:
            assert child.type not in ("html_inline", "image", "em_open")
            if child.type == "link_open":
                assert child.attrs["href"] in {MarkdownIt().normalizeLink(url) for url in addresses}
    for text in (title, body):
        for address in addresses:
            text = text.replace(f"](<{address}>)", "")
        outside = "".join(text.split("`")[::2])
        assert "<" not in outside
        assert "](" not in outside
        assert "@everyone" not in outside


@settings(max_examples=40)
@given(messages())
def test_slack_sees_no_links_or_mentions_of_others(message: Message) -> None:
    """As Apprise turns it into mrkdwn: what stands in angle brackets is a link or calls people."""
    _, body = markdown.render(message)
    addresses = {url for block in message.blocks if isinstance(block, Links) for _, url in block.pairs}
    opened = [part.split("|")[0] for part in NotifySlack._commonmark_to_slack(body).split("<")[1:]]
    assert {each.replace("&amp;", "&") for each in opened} <= addresses


@settings(max_examples=40)
@given(messages())
def test_plain_text_has_lines_only_where_we_put_them(message: Message) -> None:
    title, body = plain_text.render(message)
    assert "\n" not in title
    invisible = {each for each in title + body if unicodedata.category(each) in ("Cc", "Cf", "Cs")}
    assert invisible <= {"\n", "\u200d"}


@pytest.mark.parametrize("render", [plain_text.render, markdown.render])
@settings(max_examples=20)
@given(message=messages(), limit=st.integers(1, 5000))
def test_a_body_fits_its_channel(render, message: Message, limit: int) -> None:
    assert len(render(message, limit)[1]) <= limit


def test_what_can_be_spared_goes_first() -> None:
    blocks = (
        Headline("age moved"),
        Bars("age", ("a", "b"), (0.1, 0.9), (0.9, 0.1)),
        Code("SQL", "SELECT 1"),
        Code("To answer", "ack 1  # mine", "shell"),
    )
    message = Message("title", "high", "opened", blocks)
    whole = len(plain_text.render(message)[1])
    without_picture = plain_text.render(message, whole - 1)[1]
    assert "baseline" not in without_picture
    assert "SELECT 1" in without_picture
    shortest = plain_text.render(message, 40)[1]
    assert "SELECT" not in shortest
    assert "ack 1" in shortest


@pytest.mark.parametrize(
    ("limit", "shown", "has_commands"), [(900, 9, True), (450, 3, True), (200, 3, False), (130, 0, False)]
)
def test_the_worst_numbers_are_spared_last(limit: int, shown: int, has_commands: bool) -> None:
    rows = tuple((f"column {place}", "psi", f"{9 - place}.5", "above 0.1") for place in range(9))
    blocks = (
        Headline("nine columns moved"),
        Facts((("Severity", "high"), ("Monitor", "flights"))),
        Numbers("What moved", ("column", "metric", "value", "bound"), rows, more=2),
        Code("SQL", "SELECT " + "x" * 500),
        Code("To answer", "ack 1  # " + "mine " * 20, "shell"),
    )
    _, body = markdown.render(Message("title", "high", "opened", blocks), limit)
    assert body.count("above 0.1") == shown
    assert (f"and {11 - shown} more" in body) == bool(shown)
    assert ("ack 1" in body) == has_commands
    assert ("Severity" in body) == has_commands


def test_two_bounds_leave_a_phone_room_for_names() -> None:
    """In one line they take 190 of 343 pixels, and names are written letter by letter."""
    row = ("probability", "label_shift", "0.679", "below -0.466 or above 0.466")
    numbers = Numbers("n", ("column", "metric", "value", "bound"), (row,))
    _, body = html.render(Message("t", "low", "opened", (numbers,)))
    styles = {text: style for style, text in re.findall(r'<div style="([^"]*)">([^<]*)</div>', body)}
    assert "nowrap" in styles["0.679"]
    assert "nowrap" not in styles["below\u00a0-0.466 or\u00a0above\u00a00.466"]
    assert "word-break:normal" in body[: body.index("0.679")].rpartition("<td")[2]


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "//evil.example", "ftp://x", "https://x/" + "y" * 3000, " https://x"],
)
def test_other_addresses_are_no_links(url: str) -> None:
    assert web_address(url) is None
    assert Links((("x", url),)).pairs == ()


def test_an_address_keeps_its_meaning() -> None:
    url = "https://airflow.example.com:8080/dags/a/runs/scheduled__2013-04-01T04:00:00+00:00?x=1&y=%20#top"
    assert web_address(url) == url
    assert web_address("https://x/a b|c>d") == "https://x/a%20b%7Cc%3Ed"


def test_code_ends_where_we_end_it() -> None:
    hostile = "SELECT '```' AS a\n```\n# heading `x`"
    blocks = (Code("SQL", hostile), Code("To answer", hostile, "shell"))
    _, body = markdown.render(Message("title", "high", "opened", blocks))
    tokens = MarkdownIt("commonmark").parse(body)
    (fence,) = [token for token in tokens if token.type == "fence"]
    assert fence.content == hostile.replace("`", "'") + "\n"
    spans = [child.content for token in tokens for child in token.children or [] if child.type == "code_inline"]
    assert spans == ["SELECT ''''' AS a", "'''", "# heading 'x'"]
