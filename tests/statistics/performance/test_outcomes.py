"""Outcomes add up where the same was counted, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monitoring_tasks.statistics.performance import Outcomes
from monitoring_tasks.statistics.performance.outcomes import added_class_scores
from tests.made_labels import CLASSES, WINDOW, Rows, counted

COUNTS = np.arange(24).reshape(1, 4, 6)
SCORES = np.arange(18).reshape(3, 3, 2)


def test_sums_are_cell_by_cell():
    one = Outcomes(COUNTS, {"brier": COUNTS / 4}, class_scores=SCORES)
    both = one + replace(one, sums={"brier": COUNTS / 2})
    assert (both.counts == 2 * COUNTS).all()
    assert (both.sums["brier"] == COUNTS * 0.75).all()
    assert both.class_scores is not None
    assert (both.class_scores == 2 * SCORES).all()


def test_what_was_not_counted_alike_does_not_add_up():
    one = Outcomes(COUNTS, {"brier": COUNTS / 4}, class_scores=SCORES)
    for other, why in (
        (replace(one, counts=COUNTS[:, :3]), "only on the same places and classes"),
        (replace(one, edges=np.array([0.5])), "only on the same places and classes"),
        (replace(one, sums={}), r"if the same was summed, not \['brier'\] and \[\]"),
        (replace(one, class_scores=None), r"`class_scores` on the same bins, not \(3, 3, 2\) and None"),
        (replace(one, class_scores=SCORES[:, :2]), r"not \(3, 3, 2\) and \(3, 2, 2\)"),
    ):
        with pytest.raises(ValueError, match=why):
            one + other
    assert added_class_scores(None, None) is None


def test_nor_do_the_labels_of_windows():
    zeros = np.zeros(5)
    rows = Rows(zeros, zeros.astype(int), np.full((5, 3), 1 / 3), zeros.astype(int), zeros)
    profile = counted(rows, CLASSES)
    assert profile.class_scores is not None
    assert (profile.with_rows_of(profile, WINDOW).class_scores == 2 * profile.class_scores).all()
    with pytest.raises(ValueError, match="count the scores of both, or of neither"):
        profile.with_rows_of(replace(profile, class_scores=None), WINDOW)


def test_tables_of_one_axis_are_added():
    table = Outcomes(
        np.stack([COUNTS, 2 * COUNTS]), {"brier": np.stack([COUNTS, COUNTS])}, class_scores=np.stack([SCORES] * 5)
    )
    both = table.added()
    assert (both.counts == 3 * COUNTS).all()
    assert (both.sums["brier"] == 2 * COUNTS).all()
    assert both.class_scores is not None
    assert (both.class_scores == 5 * SCORES).all()
