"""How far a window's distribution is from the reference's: one distance per file, all from count vectors.

A distance is added by its file, its line in `DRIFT_METRICS`, and its name in `config.checks.DriftMetricName`; the tests
of the laws that all of them obey then run over it too.
"""

from __future__ import annotations

import difflib

from monitoring_tasks.errors import ConfigError
from monitoring_tasks.statistics.drift.chi_squared import METRIC as CHI_SQUARED
from monitoring_tasks.statistics.drift.chi_squared import (
    ChiSquaredTest,
    balanced_cramers_v,
    chi_squared,
    chi_squared_test,
    cramers_v,
)
from monitoring_tasks.statistics.drift.hellinger import METRIC as HELLINGER
from monitoring_tasks.statistics.drift.hellinger import hellinger
from monitoring_tasks.statistics.drift.jensen_shannon import METRIC as JENSEN_SHANNON
from monitoring_tasks.statistics.drift.jensen_shannon import jensen_shannon
from monitoring_tasks.statistics.drift.kl_divergence import METRIC as KL_DIVERGENCE
from monitoring_tasks.statistics.drift.kl_divergence import kl_divergence
from monitoring_tasks.statistics.drift.kolmogorov_smirnov import METRIC as KOLMOGOROV_SMIRNOV
from monitoring_tasks.statistics.drift.kolmogorov_smirnov import (
    kolmogorov_smirnov,
    kolmogorov_smirnov_p_value,
)
from monitoring_tasks.statistics.drift.l_infinity import METRIC as L_INFINITY
from monitoring_tasks.statistics.drift.l_infinity import l_infinity
from monitoring_tasks.statistics.drift.metric import DriftMetric, Layout, select, select_many, sizes
from monitoring_tasks.statistics.drift.population_stability_index import METRIC as PSI
from monitoring_tasks.statistics.drift.population_stability_index import population_stability_index
from monitoring_tasks.statistics.drift.total_variation import METRIC as TOTAL_VARIATION
from monitoring_tasks.statistics.drift.total_variation import total_variation
from monitoring_tasks.statistics.drift.wasserstein import METRIC as WASSERSTEIN
from monitoring_tasks.statistics.drift.wasserstein import wasserstein

__all__ = [
    "DRIFT_METRICS",
    "ChiSquaredTest",
    "DriftMetric",
    "Layout",
    "balanced_cramers_v",
    "chi_squared",
    "chi_squared_test",
    "cramers_v",
    "drift_metric",
    "hellinger",
    "jensen_shannon",
    "kl_divergence",
    "kolmogorov_smirnov",
    "kolmogorov_smirnov_p_value",
    "l_infinity",
    "population_stability_index",
    "select",
    "select_many",
    "sizes",
    "total_variation",
    "wasserstein",
]

DRIFT_METRICS: tuple[DriftMetric, ...] = (
    PSI,
    JENSEN_SHANNON,
    HELLINGER,
    TOTAL_VARIATION,
    KL_DIVERGENCE,
    KOLMOGOROV_SMIRNOV,
    WASSERSTEIN,
    CHI_SQUARED,
    L_INFINITY,
)
"""Every drift metric, in the order people see them."""


def drift_metric(name: str) -> DriftMetric:
    """Return the metric of this name.

    Raises
    ------
    ConfigError
        If there is none.

    Examples
    --------
    >>> drift_metric("psi").unit
    'nats'
    """
    by_name = {metric.name: metric for metric in DRIFT_METRICS}
    if name in by_name:
        return by_name[name]
    # People also write the function's name: population_stability_index is psi.
    spellings = {metric.function.__name__: metric.name for metric in DRIFT_METRICS} | {n: n for n in by_name}
    close = difflib.get_close_matches(name, spellings, n=1)
    hint = f"did you mean {spellings[close[0]]!r}?" if close else f"write one of {', '.join(by_name)}"
    raise ConfigError(f"{name!r} is not a drift metric; {hint}")
