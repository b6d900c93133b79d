from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring_tasks.checks.unfamiliar import unfamiliar
from monitoring_tasks.columns import Column
from monitoring_tasks.profile import Bins, ColumnProfile, Kind, just_above
from tests.warehouse import oracle

CARRIERS = Bins("categorical", categories=("AA", "UA"), others=("B6", "OO"))
MARCH, APRIL = 1362096000.0, 1364774400.0


def carriers(*counts: int, unseen: tuple[tuple[str, int], ...] | None = ()) -> ColumnProfile:
    return ColumnProfile("carrier", "categorical", counts, unseen=unseen)


REFERENCE = carriers(1, 50, 40, 9, 0)


def counted(bins: Bins, values: Sequence[float | None]) -> ColumnProfile:
    """Count numbers, or times as seconds, by the oracle."""
    return oracle.column(Column("x", bins.kind, "number", ("feature",)), bins, values)


def frozen(values: Sequence[float], kind: Kind = "numeric") -> Bins:
    """Bins as a baseline of these values fixes them: from the smallest to just above the largest."""
    return Bins(kind, tuple(sorted({min(values), *values, just_above(max(values))})))


@pytest.mark.parametrize(
    ("current", "phrase"),
    [
        (carriers(0, 60, 30, 10, 0), ""),
        (
            carriers(0, 60, 0, 15, 25, unseen=(("NL", 25),)),
            "25 % of rows hold a value never seen in the baseline: NL",
        ),
        (
            carriers(0, 486, 500, 0, 14, unseen=(("ANC", 8), ("HDN", 6))),
            "1.4 % of rows hold values never seen in the baseline: ANC (0.8 %), HDN (0.6 %)",
        ),
        (
            carriers(0, 0, 90, 0, 10, unseen=(("D", 4), ("A", 2), ("B", 2), ("C", 1), ("E", 1))),
            "10 % of rows hold values never seen in the baseline: D (4 %), A (2 %), B (2 %) and 2 more",
        ),
        (
            carriers(0, 50, 0, 0, 50, unseen=None),
            "50 % of rows hold values never seen in the baseline: too many to name",
        ),
        (carriers(0, 90, 0, 0, 10, unseen=None), "10 % of rows hold values never seen in the baseline"),
        (
            carriers(0, 50, 0, 0, 50, unseen=(("", 20), ("a\nb", 16), ("w" * 99, 14))),
            "50 % of rows hold values never seen in the baseline: '' (20 %), 'a\\nb' (16 %), " + "w" * 39 + "… (14 %)",
        ),
    ],
    ids=["nothing", "one", "two", "five", "too many", "not named when counted", "odd"],
)
def test_unseen_categories_are_named_with_their_share(current: ColumnProfile, phrase: str) -> None:
    assert unfamiliar(CARRIERS, REFERENCE, current) == phrase


def test_what_a_segment_or_a_moving_baseline_has_no_row_of_is_unfamiliar_too() -> None:
    reference = carriers(0, 0, 90, 0, 10, unseen=(("HDN", 10),))
    current = carriers(0, 20, 60, 10, 10, unseen=(("ANC", 6), ("HDN", 4)))
    assert unfamiliar(CARRIERS, reference, current) == (
        "36 % of rows hold values never seen in the baseline: AA (20 %), rarer values (10 %), ANC (6 %)"
    )
    (b6,) = [Bins("categorical", categories=("AA", "UA"), others=("B6",))]
    assert unfamiliar(b6, carriers(0, 50, 50, 0, 0), carriers(0, 90, 0, 10, 0)).endswith(": B6")


def test_names_that_one_side_lacks_are_no_claim() -> None:
    """Which of the window's values the moving baseline had cannot be told then."""
    many = carriers(0, 50, 0, 0, 50, unseen=None)
    few = carriers(0, 90, 0, 0, 10, unseen=(("HDN", 10),))
    assert unfamiliar(CARRIERS, carriers(0, 50, 40, 5, 5, unseen=None), few) == ""
    assert unfamiliar(CARRIERS, carriers(0, 50, 40, 5, 5, unseen=(("HDN", 5),)), many) == ""
    assert unfamiliar(CARRIERS, carriers(0, 0, 90, 10, 0), many) == (
        "100 % of rows hold values never seen in the baseline: AA (50 %) and more, too many to name"
    )


DISTANCES = [80.0, 500.0, 2586.0]


@pytest.mark.parametrize(
    ("values", "phrase"),
    [
        ([100.0, 2586.0, 80.0], ""),
        (
            [100.0] * 96 + [2600.0, 3000.0, 4983.0, None],
            "3 % of rows lie above 2,586, the largest value of the baseline (up to 4,983)",
        ),
        (
            [100.0] * 98 + [17.0, 79.99],
            "2 % of rows lie below 80, the smallest value of the baseline (down to 17)",
        ),
        (
            [100.0] * 8 + [-5.0, 2586.04],
            "10 % of rows lie below 80, the smallest value of the baseline (down to -5); "
            "10 % of rows lie above 2,586.00, the largest value of the baseline (up to 2,586.04)",
        ),
        (
            [100.0] * 9 + [math.inf],
            "10 % of rows lie above 2,586, the largest value of the baseline (infinite values)",
        ),
        (
            [100.0] * 9 + [-math.inf],
            "10 % of rows lie below 80, the smallest value of the baseline (infinite values)",
        ),
        ([math.inf] * 4, "100 % of rows lie above 2,586, the largest value of the baseline (infinite values)"),
        (
            [100.0] * 8 + [math.inf, 1e300],
            "20 % of rows lie above 2.59e+03, the largest value of the baseline (up to 1.00e+300)",
        ),
    ],
    ids=["nothing", "above", "below", "both, close by", "inf", "-inf", "only inf", "inf and finite"],
)
def test_values_beyond_the_baselines_extremes_are_told_with_their_share(
    values: list[float | None], phrase: str
) -> None:
    bins = frozen(DISTANCES)
    found = unfamiliar(bins, counted(bins, DISTANCES), counted(bins, values))
    assert found == phrase.replace("2.59e+03", "2,586")


def test_times_are_told_as_times() -> None:
    bins = frozen([MARCH, APRIL], "timestamp")
    reference = counted(bins, [MARCH, APRIL])
    assert unfamiliar(bins, reference, counted(bins, [MARCH - 0.5, APRIL + 90_000, MARCH, MARCH])) == (
        "25 % of rows lie before 2013-03-01 00:00, the earliest time of the baseline (back to 2013-02-28 23:59); "
        "25 % of rows lie after 2013-04-01 00:00, the latest time of the baseline (up to 2013-04-02 01:00)"
    )
    assert unfamiliar(bins, reference, counted(bins, [APRIL + 1])) == (
        "100 % of rows lie after 2013-04-01 00:00:00, the latest time of the baseline (up to 2013-04-01 00:00:01)"
    )
    assert "up to 1.00e+18" in unfamiliar(bins, reference, counted(bins, [1e18]))


def test_rows_in_a_bin_that_reaches_across_the_extreme_are_not_claimed() -> None:
    """A segment's largest value, 620, stands inside a bin: of 650 it cannot be said from counts where it is."""
    bins = Bins("numeric", (0.0, 500.0, 1000.0, just_above(2000.0)))
    segment = counted(bins, [10.0, 620.0])
    assert unfamiliar(bins, segment, counted(bins, [10.0, 650.0])) == ""
    assert unfamiliar(bins, segment, counted(bins, [10.0, 1500.0])) == (
        "50 % of rows lie above 620, the largest value of the baseline (up to 1,500)"
    )
    assert unfamiliar(bins, segment, counted(bins, [10.0, 650.0, 1500.0, 2500.0])) == (
        "at least 50 % of rows lie above 620, the largest value of the baseline (up to 2,500)"
    )


def test_infinite_values_that_the_baseline_had_are_familiar() -> None:
    bins = frozen(DISTANCES)
    assert unfamiliar(bins, counted(bins, [*DISTANCES, math.inf]), counted(bins, [100.0, math.inf])) == ""


@pytest.mark.parametrize("values", [[], [None, None], [math.nan], [math.inf]], ids=["no rows", "null", "nan", "inf"])
def test_a_reference_without_a_finite_value_says_nothing(values: list[float | None]) -> None:
    assert unfamiliar(frozen(DISTANCES), counted(frozen(DISTANCES), values), counted(frozen(DISTANCES), [9e9])) == ""
    assert unfamiliar(Bins("numeric"), counted(Bins("numeric"), values), counted(Bins("numeric"), [9e9])) == ""


def test_a_window_without_rows_says_nothing() -> None:
    assert unfamiliar(CARRIERS, REFERENCE, carriers(0, 0, 0, 0, 0)) == ""


EIGHTHS = st.integers(-800, 800).map(lambda eighths: eighths / 8)


@given(
    reference=st.lists(EIGHTHS, min_size=1, max_size=20),
    edges=st.lists(EIGHTHS, max_size=6),
    current=st.lists(EIGHTHS | st.sampled_from([math.inf, -math.inf, 1e308, -1e9]), min_size=1, max_size=20),
)
def test_no_more_rows_are_claimed_than_there_are(
    reference: list[float], edges: list[float], current: list[float]
) -> None:
    """On any bins; on those that a baseline of these rows fixes, exactly as many."""
    both = [frozen(reference), Bins("numeric", tuple(sorted({-101.0, *edges, 101.0})))]
    beyond = [sum(x < min(reference) for x in current), sum(x > max(reference) for x in current)]
    for bins in both:
        found = unfamiliar(bins, counted(bins, reference), counted(bins, current))
        for rows, word in zip(beyond, ("below", "above"), strict=True):
            (claim,) = [part for part in found.split("; ") if f" {word} " in part] or [""]
            if bins is both[0]:
                assert bool(claim) == bool(rows)
                assert "at least" not in claim
            if claim:
                share = float(claim.removeprefix("at least ").split(" %")[0]) / 100
                assert share <= rows / len(current) * 1.05
                assert bins is both[1] or share == pytest.approx(rows / len(current), rel=0.05)
