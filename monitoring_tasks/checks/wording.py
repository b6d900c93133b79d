"""How numbers stand in messages."""

from __future__ import annotations

from datetime import timedelta

from monitoring_tasks.window import Window

WEEK = timedelta(days=7, hours=1)
"""One in which clocks are put back."""


def number(value: float) -> str:
    """Write a number as people do: three digits, and never an exponent for a large one.

    Examples
    --------
    >>> number(0.04567), number(12.3456), number(2071.3)
    ('0.0457', '12.3', '2,071')
    """
    return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.3g}"


def counted(count: int, what: str) -> str:
    """Write how many there are of something.

    Examples
    --------
    >>> counted(1, "column"), counted(0, "column"), counted(2071, "independent row")
    ('1 column', '0 columns', '2,071 independent rows')
    """
    return f"{count:,} {what}{'s' * (count != 1)}"


def p_value(value: float) -> str:
    """Write a p-value; one of 0 only says that no smaller number than this can be written.

    Examples
    --------
    >>> p_value(0.0213), p_value(3e-12), p_value(0.0)
    ('p = 0.0213', 'p = 3e-12', 'p below 1e-300')
    """
    return "p below 1e-300" if value < 1e-300 else f"p = {number(value)}"


def percent(share: float) -> str:
    """Write a share in [0, 1] as a percentage, with more digits the smaller it is.

    Examples
    --------
    >>> percent(0.0), percent(0.00123), percent(0.0951), percent(0.9996), percent(1.0)
    ('0 %', '0.12 %', '9.5 %', '99.96 %', '100 %')
    """
    if 0.99 < share < 1:
        return f"{100 * share:.2f}".rstrip("0").rstrip(".") + " %"
    return f"{100 * share:.2g} %" if share < 0.0995 else f"{100 * share:.0f} %"


def at_this_time(window: Window, preposition: str) -> str:
    """Return the words for what a window is compared with, after a blank: longer ones have no time of the week.

    Examples
    --------
    >>> at_this_time(Window.parse("2013-04-01", "2013-04-02"), "of")
    ' of this time of the week'
    >>> at_this_time(Window.parse("2013-04-01", "2013-05-01"), "of")
    ''
    """
    return f" {preposition} this time of the week" if window.length <= WEEK else ""
