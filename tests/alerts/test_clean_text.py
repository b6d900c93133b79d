"""Text of others before it stands in a message."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring_tasks.alerts.clean_text import clean, one_line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("wind_speed", "wind_speed", id="a name"),
        pytest.param("a\u202eb\u2066c\u200fd", "abcd", id="direction marks"),
        pytest.param("te\u200bm\u2060p\ufeff", "temp", id="zero width"),
        pytest.param("a\x00b\x1b[31mc\x7f", "ab[31mc", id="control characters"),
        pytest.param("a\ud800b", "ab", id="a lone surrogate"),
        pytest.param("a\r\nb\u2028c\x85d", "a  b c d", id="ends of lines"),
        pytest.param("טמפרטורה", "טמפרטורה", id="letters from right to left stay"),
        pytest.param("e" + "\u0301" * 50, "e" + "\u0301" * 3, id="a pile of marks"),
        pytest.param("e" + "\u0301\u200b" * 50, "e" + "\u0301" * 3, id="a pile of marks with nothing between"),
        pytest.param("👩\u200d🔧", "👩\u200d🔧", id="an emoji of two"),
    ],
)
def test_what_is_not_seen_goes(text: str, expected: str) -> None:
    assert clean(text) == expected


@given(st.text(), st.integers(1, 50))
def test_text_is_clean_after_once(text: str, length: int) -> None:
    cleaned = one_line(text, length)
    assert len(cleaned) <= length
    assert one_line(cleaned, length) == cleaned
    assert not any(unicodedata.category(each) in ("Cc", "Cs") for each in cleaned)
    assert clean(clean(text)) == clean(text)
    cleaned.encode()


def test_megabytes_are_shortened() -> None:
    assert one_line("x" * 10_000_000, 20) == "x" * 19 + "…"
    assert one_line("x" + " " * 1000 + "y", 20) == "x…"
