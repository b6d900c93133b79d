"""Names of groups, from those of their bins."""

import pytest

from monitoring_tasks.profile import Bins, just_above
from monitoring_tasks.segment_labels import group_label, segment_label
from monitoring_tasks.statistics.performance.weak_segments import SegmentGroup

HOURS = Bins("numeric", (5.0, 11.0, 17.0, 20.0))
ALONE = Bins("numeric", (0.0, just_above(0.0), 1.5, 2.0, just_above(2.0)))
TIMES = Bins("timestamp", (1364788800.0, 1364875200.0, 1364961600.0))
CARRIERS = Bins("categorical", categories=("EV", "MQ", "UA", "B6", "AA", "DL", "US"), others=("HA",))


@pytest.mark.parametrize(
    ("bins", "numbers", "label"),
    [
        (HOURS, (0,), "x=(null)"),
        (HOURS, (1,), "x=(-inf,5)"),
        (HOURS, (3,), "x=[11,17)"),
        (HOURS, (2, 3), "x=[5,17)"),
        (HOURS, (2, 4), "x=[5,20)"),
        (HOURS, (1, 2, 3), "x=(-inf,17)"),
        (HOURS, (3, 5), "x=[11,inf)"),
        (HOURS, (1, 5), "x=(-inf,inf)"),
        (HOURS, (0, 2, 3), "x=(null) or [5,17)"),
        (HOURS, (0, 3), "x=(null) or [11,17)"),
        (ALONE, (2,), "x=[0]"),
        (ALONE, (2, 3), "x=[0,1.5)"),
        (ALONE, (4, 5), "x=[1.5,2]"),
        (ALONE, (2, 5), "x=[0,2]"),
        (TIMES, (2, 3), "x=[2013-04-01 04:00,2013-04-03 04:00)"),
        (Bins("numeric"), (2,), "x=(-inf,inf)"),
        (CARRIERS, (0,), "x=(null)"),
        (CARRIERS, (1,), "x=EV"),
        (CARRIERS, (1, 2), "x in (EV, MQ)"),
        (CARRIERS, (7, 8, 9), "x in (US, (other), (unseen))"),
        (CARRIERS, (1, 2, 3, 4, 5, 6), "x in (EV, MQ, UA, B6, AA, DL)"),
        (CARRIERS, (1, 2, 3, 4, 5, 6, 9), "x in (EV, MQ, UA, B6, AA, and 2 others)"),
    ],
)
def test_a_group_is_named_by_its_first_and_last_bin_or_its_categories(bins, numbers, label):
    assert group_label(SegmentGroup("x", numbers), bins) == label


def test_a_pair_is_joined():
    groups = (SegmentGroup("carrier", (1, 2)), SegmentGroup("dep_hour", (4,)))
    label = segment_label(groups, {"dep_hour": HOURS, "carrier": CARRIERS, "other": TIMES})
    assert label == "carrier in (EV, MQ) and dep_hour=[17,20)"
