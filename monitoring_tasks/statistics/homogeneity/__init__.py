"""Whether two samples come from one distribution: the tests that decide what is significant."""

from monitoring_tasks.statistics.homogeneity.column_dispersion import (
    ColumnDispersion,
    column_dispersion,
    pooled,
    with_shared_priors,
)
from monitoring_tasks.statistics.homogeneity.column_test import ColumnTest, column_test
from monitoring_tasks.statistics.homogeneity.dispersion import Dispersion

__all__ = [
    "ColumnDispersion",
    "ColumnTest",
    "Dispersion",
    "column_dispersion",
    "column_test",
    "pooled",
    "with_shared_priors",
]
