"""Shares of the versions that answered, and versions that the baseline does not know."""

from __future__ import annotations

import pytest

from monitoring_tasks.checks import Result
from monitoring_tasks.checks.model_versions import model_versions
from monitoring_tasks.profile import Bins, ColumnProfile
from tests import inference_log
from tests.checks.context import context

BINS = {"model": Bins("categorical", categories=("v1", "v2"))}


def column(*counts: int, unseen: tuple[tuple[str, int], ...] | None = ()) -> ColumnProfile:
    return ColumnProfile("model", "categorical", counts, unseen=unseen)


def found(now: ColumnProfile, before: ColumnProfile) -> list[Result]:
    return model_versions(context(inference_log.monitor(), BINS, {"": [before]}, {"": [now]}), "model")


BASELINE = column(0, 900, 100, 0, 0)


def test_each_version_has_its_share():
    results = found(column(0, 300, 100, 0, 0), BASELINE)
    assert [(r.metric, r.column_name, r.segment, r.value, r.decided()) for r in results] == [
        ("model_version_share", "model", "model=v1", 0.75, "info"),
        ("model_version_share", "model", "model=v2", 0.25, "info"),
    ]
    assert results[0].message == "300 of 400 inferences by v1: 75 %"


def test_a_version_that_the_baseline_does_not_know_is_named():
    results = found(column(10, 300, 0, 0, 90, unseen=(("v4", 60), ("v3", 30))), BASELINE)
    assert [r.segment for r in results] == ["model=v1", "model=v4", "model=v3", "model=(null)", ""]
    assert results[3].message == "10 of 400 inferences without a version: 2.5 %"
    new = results[-1]
    assert (new.metric, new.value, new.decided()) == ("new_model_version", 0.225, "info")
    assert new.message == "2 new versions answered 22 % of inferences: v4, v3"
    assert new.detail == {"versions": {"v4": 60, "v3": 30}}


def test_a_version_that_a_moving_baseline_knows_by_now_is_not_new():
    now = column(0, 0, 0, 0, 90, unseen=(("v3", 90),))
    assert [r.metric for r in found(now, column(0, 900, 0, 0, 9, unseen=(("v3", 9),)))] == ["model_version_share"]
    assert found(column(0, 0, 40, 0, 0), column(0, 900, 0, 0, 0))[-1].message == (
        "1 new version answered 100 % of inferences: v2"
    )


def test_versions_too_many_to_name():
    results = found(column(0, 300, 0, 0, 90, unseen=None), BASELINE)
    assert [(r.segment, r.value) for r in results] == [
        ("model=v1", pytest.approx(300 / 390)),
        ("model=(unseen)", pytest.approx(90 / 390)),
        ("", pytest.approx(90 / 390)),
    ]
    assert results[-1].message == "new versions, too many to name, answered 23 % of inferences"
    assert "new_model_version" not in {
        r.metric
        for r in found(
            column(0, 9, 0, 0, 90, unseen=None),
            BASELINE.__class__("model", "categorical", (0, 900, 0, 0, 50), unseen=None),
        )
    }


def test_of_no_rows_or_no_baseline_nothing_is_new():
    assert found(column(0, 0, 0, 0, 0), BASELINE) == []
    assert [r.metric for r in found(column(0, 5, 0, 0, 0), column(0, 0, 0, 0, 0))] == ["model_version_share"]


def test_twenty_versions_have_a_row_and_the_rest_is_one():
    names = tuple((f"n{i:02}", 50 - i) for i in range(19))
    bins = {"model": Bins("categorical", categories=tuple(f"c{i}" for i in range(9)))}
    now = ColumnProfile("model", "categorical", (0, *[100] * 9, 0, sum(n for _, n in names)), unseen=names)
    before = ColumnProfile("model", "categorical", (0, *[100] * 9, 0, 0))
    results = model_versions(context(inference_log.monitor(), bins, {"": [before]}, {"": [now]}), "model")
    shares = [r for r in results if r.metric == "model_version_share"]
    assert len(shares) == 21
    assert shares[-1].segment == "model=(other)"
    assert sum(r.value or 0.0 for r in shares) == pytest.approx(1.0)
