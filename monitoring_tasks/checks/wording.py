"""How numbers stand in messages."""

from __future__ import annotations


def number(value: float) -> str:
    """Write a number as people do: three digits, and never an exponent for a large one.

    Examples
    --------
    >>> number(0.04567), number(12.3456), number(2071.3)
    ('0.0457', '12.3', '2,071')
    """
    return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.3g}"


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
