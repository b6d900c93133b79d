"""Errors by their template, error rates against the baseline, and answers that are missing without one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monitoring_tasks.checks import Result
from monitoring_tasks.checks.error_texts import errors_of
from monitoring_tasks.checks.operations import operations
from monitoring_tasks.error_template import template
from monitoring_tasks.profile import Bins, ColumnProfile
from monitoring_tasks.reference import Reference
from monitoring_tasks.statistics.homogeneity import column_dispersion
from tests import inference_log
from tests.checks.context import categorical, context

BINS = {
    "predicted": Bins("categorical", categories=("0", "1")),
    "error": Bins("categorical", categories=("no answer within 2000 ms", "no answer within 500 ms", "out of memory")),
}


def counts(rows: int, *failed: int, unseen: tuple[tuple[str, int], ...] | None = (), new: int = 0) -> ColumnProfile:
    """Return the error column: of each category, of others, and of unseen ones."""
    failed = (*failed, *[0] * (4 - len(failed)))
    named = sum(count for _, count in unseen or ()) + new
    return ColumnProfile("error", "categorical", (rows - sum(failed) - named, *failed, named), unseen=unseen)


def judged(
    now: ColumnProfile,
    before: ColumnProfile,
    settings: str = "{}",
    missing: int | None = None,
    parts: np.ndarray | None = None,
) -> dict[str, Result]:
    monitor = inference_log.monitor(f"{{operations: {settings}}}")
    nulls = [each.rows - each.nulls for each in (before, now)]
    nulls[1] = nulls[1] if missing is None else missing
    of = [
        [categorical("predicted", null, each.rows - null, 0, 0, 0), each]
        for null, each in zip(nulls, (before, now), strict=True)
    ]
    given = context(monitor, BINS, {"": of[0]}, {"": of[1]})
    if parts is not None:
        dispersion = column_dispersion(parts, "categorical")
        assert dispersion is not None
        given.__dict__["reference"] = Reference("baseline", given.reference.columns, {"": {"error": dispersion}})
    return {result.metric: result for result in operations(given)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Timeout: no answer", "Timeout: no answer"),
        ("no answer within 2000 ms for JFK at 2013-04-01T05:00Z", "no answer within # ms for JFK at #"),
        ("2013-04-01 05:00:01,123 ERROR retry 3/5", "# ERROR retry #"),
        ("user 'ann' is not known", "user '…' is not known"),
        ('key "a b" and `c`', "key '…' and '…'"),
        ("can't connect to host's port 5432", "can't connect to host's port #"),
        ("HTTP 503", "HTTP 503"),
        ("HTTP/1.1 503 after 12 s", "HTTP/1.1 503 after # s"),
        ("status=429, request 7f9c24e8-3b12-4a6f-9d11-2c3e4f5a6b7c", "status=429, request #"),
        ("[Errno 111] refused at 0xDEADBEEF", "[Errno 111] refused at #"),
        ("object 5f2b8c9d1e not found", "object # not found"),
        ("deadbeefcafe", "deadbeefcafe"),
        ("1.5e3 is not 1,234.5", "#e# is not #"),
        ("504", "504"),
        ("", ""),
    ],
)
def test_what_varies_is_left_out_of_an_error(text, expected):
    assert template(text) == expected
    assert template(template(text)) == expected


def test_the_errors_that_came_most():
    found = errors_of(BINS["error"], counts(1000, 5, 20, 1, 3, unseen=(("no answer within 9 ms", 2), ("broken", 7))))
    assert found.top == (("no answer within # ms", 27), ("broken", 7), ("out of memory", 1))
    assert (found.kinds, found.unnamed) == (3, 3)
    many = tuple((f"error of kind {letter}", 1) for letter in "abcdefgh")
    assert len(errors_of(BINS["error"], counts(1000, unseen=many)).top) == 5


def test_new_errors_too_many_to_name_are_counted():
    result = judged(counts(1000, 0, 0, 4, unseen=None, new=30), counts(20_000, 3))["error_rate"]
    assert result.detail["top"] == [["out of memory", 4]]
    assert result.detail["unnamed"] == 30
    assert result.message.endswith("; out of memory (4), 30 with texts too many to name")


@pytest.mark.parametrize(
    ("failed", "status", "message"),
    [
        (0, "ok", "0 of 1000 inferences failed: 0 % (0.2 % in the baseline; alarm above 1.2 %)"),
        (
            12,
            "ok",
            "12 of 1000 inferences failed: 1.2 % (0.2 % in the baseline; alarm above 1.2 %); no answer within 2000 ms "
            "(12)",
        ),
        (
            40,
            "alarm",
            "40 of 1000 inferences failed: 4 % (0.2 % in the baseline; alarm above 1.2 %); no answer within 2000 ms "
            "(40)",
        ),
    ],
)
def test_without_a_fixed_share_the_baseline_tells(failed, status, message):
    result = judged(counts(1000, failed), counts(20_000, 40))["error_rate"]
    assert (result.decided(), result.message) == (status, message.replace("2000 ms", "# ms"))
    assert result.threshold_upper == pytest.approx(0.012)
    assert result.baseline_rows == 20_000


def test_one_failure_of_twenty_may_be_chance():
    result = judged(counts(20, 1), counts(20_000, 40))["error_rate"]
    assert (result.value, result.decided()) == (0.05, "ok")
    assert "but chance alone may do this: p = 0.0" in result.message


def test_a_baseline_without_the_column_judges_nothing():
    result = judged(counts(100, 50), counts(0))["error_rate"]
    assert (result.decided(), result.threshold_upper) == ("info", None)


def test_fewer_errors_than_usual_are_in_order():
    assert judged(counts(1000, 0), counts(20_000, 4000))["error_rate"].decided() == "ok"


def test_errors_that_come_on_some_days_only_are_not_news_on_the_next():
    """Forty failures of a thousand: an alarm where rows fail one by one, none where a day in ten has as many."""
    parts = np.array([[1000, 0, 0, 0, 0, 0]] * 27 + [[950, 50, 0, 0, 0, 0]] * 3)
    whole = counts(30_000, 150)
    assert judged(counts(1000, 40), whole)["error_rate"].decided() == "alarm"
    assert judged(counts(1000, 40), whole, parts=parts)["error_rate"].decided() == "ok"


@pytest.mark.parametrize(
    ("missing", "failed", "more"),
    [
        (0, 5, ""),
        (25, 25, ""),
        (25, 30, ""),
        (25, 10, "; at least 15 of them ended without an error"),
        (25, 0, "; none of them with an error"),
    ],
)
def test_missing_predictions_that_no_error_explains(missing, failed, more):
    result = judged(counts(1000, failed), counts(20_000, 40), missing=missing)["missing_predictions"]
    start = f"{missing} of 1000 inferences have no prediction: "
    assert result.decided() == "info"
    assert result.message.startswith(start)
    assert result.message.endswith(f" %{more}")


@pytest.mark.parametrize(("together", "most"), [(1, 0.012), (20, 0.012)], ids=["independent", "twenty at a time"])
def test_error_rates_as_in_the_baseline_are_in_order(together, most):
    """Windows of 400 rows of which 1 % fail; asked for are 0.05 % of them."""
    rng = np.random.default_rng(together)
    alarms, windows = 0, 120
    failed = together * rng.binomial(400 // together, 0.01, (windows, 31))
    for row in failed:
        parts = np.zeros((30, 6), np.int64)
        parts[:, 1], parts[:, 0] = row[:30], 400 - row[:30]
        result = judged(counts(400, int(row[30])), counts(12_000, int(row[:30].sum())), parts=parts)["error_rate"]
        alarms += result.decided() == "alarm"
    assert alarms / windows <= most


def test_the_message_of_a_long_error_is_short():
    long = "a very long error text that goes on and on and on without an end, or with one"
    result = judged(counts(100, unseen=((long, 9),)), counts(20_000))["error_rate"]
    assert result.message.endswith("; a very long error text that goes on and on and on without a… (9)")
    assert result.detail["top"] == [[long, 9]]
    assert replace(result, message="").decided() == "alarm"
