"""Whether two samples come from one distribution: the tests that decide what is significant."""

from monitoring_tasks.statistics.homogeneity.column_dispersion import (
    ColumnDispersion,
    column_dispersion,
    pooled,
    with_shared_priors,
)
from monitoring_tasks.statistics.homogeneity.column_test import ColumnTest, column_test
from monitoring_tasks.statistics.homogeneity.dispersion import INDEPENDENT_ROWS, Dispersion
from monitoring_tasks.statistics.homogeneity.share_test import belief_in_bin, risen_share_test, totals_of_bins

__all__ = [
    "INDEPENDENT_ROWS",
    "ColumnDispersion",
    "ColumnTest",
    "Dispersion",
    "belief_in_bin",
    "column_dispersion",
    "column_test",
    "pooled",
    "risen_share_test",
    "totals_of_bins",
    "with_shared_priors",
]
