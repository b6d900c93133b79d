"""Settings of the checks, with their defaults."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from monitoring_tasks.config.fields import (
    Column,
    Count,
    Duration,
    NotNegative,
    Number,
    Positive,
    PositiveDuration,
    Rate,
    Section,
    Share,
    Text,
    distinct,
    one_of,
    pattern,
    refused,
)
from monitoring_tasks.config.problem import suggestion
from monitoring_tasks.errors import ConfigError

DriftMetricName = Literal[
    "psi",
    "jensen_shannon",
    "hellinger",
    "total_variation",
    "kl_divergence",
    "kolmogorov_smirnov",
    "wasserstein",
    "chi_squared",
    "l_infinity",
]
ClassificationMetricName = Literal[
    "accuracy",
    "balanced_accuracy",
    "precision",
    "recall",
    "specificity",
    "f1",
    "mcc",
    "roc_auc",
    "average_precision",
    "log_loss",
    "brier",
    "expected_calibration_error",
    "kolmogorov_smirnov",
    "lift",
]
RegressionMetricName = Literal["mae", "rmse", "mape", "medae", "r2", "bias"]
PerformanceMetricName = Literal[ClassificationMetricName, RegressionMetricName]
QualityMetricName = Literal["missing_share", "out_of_range_share", "unseen_share", "duplicate_share", "missing_keys"]
MultivariateMetricName = Literal["domain_classifier_auc", "pca_reconstruction_error"]

LARGEST_SIZE: Mapping[DriftMetricName, float] = {
    "jensen_shannon": 1.0,
    "hellinger": 1.0,
    "total_variation": 1.0,
    "kolmogorov_smirnov": 1.0,
    "chi_squared": 1.0,
    "l_infinity": 1.0,
}
"""The largest possible size of a drift, of the metrics that have one; a threshold of `chi_squared` is on Cramer's V.

Stated here too, and tested against the metrics, because they import numpy and who reads files must not wait for that.
"""

MOST_DRAWN = 100_000
"""Rows that `multivariate_drift` may draw of either side: with 200 features they take 160 MB as numbers."""

_ALIASES: Mapping[str, DriftMetricName] = {
    "population_stability_index": "psi",
    "js": "jensen_shannon",
    "jsd": "jensen_shannon",
    "tv": "total_variation",
    "tvd": "total_variation",
    "kl": "kl_divergence",
    "ks": "kolmogorov_smirnov",
    "emd": "wasserstein",
    "earth_mover": "wasserstein",
    "chi2": "chi_squared",
}

DriftMetric = Annotated[DriftMetricName, one_of("a drift metric", DriftMetricName, _ALIASES)]
MultivariateMetric = Annotated[MultivariateMetricName, one_of("a metric of two samples", MultivariateMetricName)]
QualityMetric = Annotated[QualityMetricName, one_of("a metric of data quality", QualityMetricName)]
PerformanceMetric = Annotated[PerformanceMetricName, one_of("a performance metric", PerformanceMetricName)]


class CheckSettings(Section):
    """What every check that decides has."""

    false_alarm_rate: Rate = 0.01
    """the share of undrifted windows that may raise a false alarm, over all columns, such as 0.01"""


class Band(Section):
    """What a metric usually is: its median in the windows before, and how far it strays from that."""

    over: PositiveDuration
    """how long before each window its band begins, such as 28d"""
    width: Positive = 4.0
    """how far above the median the alarm is, in standard deviations as the MAD has them, such as 4"""


class DriftSettings(CheckSettings):
    """How a window's distributions are compared with the baseline's."""

    metrics: Annotated[tuple[DriftMetric, ...], distinct("metric")] = ("psi", "jensen_shannon")
    """a list of drift metrics, such as [psi, jensen_shannon]"""
    minimum_effect: Mapping[DriftMetric, NotNegative] = {}
    """the smallest change that matters, for each metric, such as {psi: 0.1}"""
    minimum_rows: Count = 50
    """the rows below which a window is not judged, such as 50"""
    fixed: Mapping[DriftMetric, NotNegative] = {}
    """fixed alarm thresholds, for each metric, such as {psi: 0.2}: they replace the calibrated ones"""
    band: Mapping[DriftMetric, Band] = {}
    """alarm thresholds from past windows, for each metric, such as {psi: {over: 28d}}: they replace them too"""


class DataDrift(DriftSettings):
    """Change of P(X)."""

    importance: Mapping[Column, NotNegative] = {}
    """a weight for each feature, such as {distance: 2}: it ranks what moved"""


class PredictionDrift(DriftSettings):
    """Change of P(prediction)."""


class ConceptDrift(CheckSettings):
    """Change of P(Y|X)."""

    minimum_rows: Count = 100
    """the labelled rows below which a window is not judged, such as 100"""
    minimum_effect: NotNegative = 0.02
    """the smallest change at equal inputs that matters, of a share of labels, or in standard deviations of a residual,
    such as 0.02"""
    look_back: Count = 30
    """the windows before each one that the change detectors look at, such as 30"""


class Performance(CheckSettings):
    """How right the model was, once labels are known."""

    metrics: Annotated[tuple[PerformanceMetric, ...], distinct("metric")] | None = None
    """a list of performance metrics, such as [roc_auc, f1, brier]"""
    minimum_coverage: Share = 0.8
    """the share of labels below which a window is not judged, such as 0.8"""
    fixed: Mapping[PerformanceMetric, Number] = {}
    """the worst value that is in order, for each metric, such as {roc_auc: 0.7}"""


class EstimatedPerformance(CheckSettings):
    """How right the model probably was, before labels are known."""

    metrics: Annotated[tuple[PerformanceMetric, ...], distinct("metric")] | None = None
    """a list of performance metrics, such as [roc_auc, f1]"""


class DataQuality(CheckSettings):
    """Missing, impossible, unseen and repeated values, and a Great Expectations suite."""

    minimum_rows: Count = 50
    """the rows below which a window is not judged, such as 50"""
    minimum_effect: Mapping[QualityMetric, Share] = {}
    """the smallest rise of a share of rows that matters, for each metric, such as {missing_share: 0.01}"""
    fixed: Mapping[QualityMetric, Share] = {}
    """fixed alarm thresholds, for each metric, such as {missing_share: 0.05}: they replace the calibrated ones"""
    stale_windows: Count = 3
    """how many windows in a row without any change make a column stale, such as 3"""
    suite: Text | None = None
    """the path of a Great Expectations suite or of SageMaker constraints (JSON), relative to the monitor file"""
    maximum_rows: Count = 1_000_000
    """the rows that a suite reads where it cannot be pushed down, such as 1000000"""
    data_docs: Text | None = None
    """a folder for a page about each window's suite, relative to the monitor file, such as data_docs"""


class RowRange(Section):
    """How many rows a window may have."""

    minimum: Annotated[int, Field(ge=0)] | None = None
    """the fewest rows in order"""
    maximum: Annotated[int, Field(ge=0)] | None = None
    """the most rows in order"""


def _expected_rows(value: object) -> object:
    if isinstance(value, Mapping):
        rows = RowRange.model_validate(value)
        if rows.minimum is None and rows.maximum is None:
            raise refused("names neither `minimum` nor `maximum`", "write one of them, such as {minimum: 1000}")
        if rows.minimum is not None and rows.maximum is not None and rows.minimum > rows.maximum:
            raise refused("`minimum` is above `maximum`", "exchange them")
        return rows
    if value in ("seasonal", None) or isinstance(value, RowRange):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise refused("{value} is not a number of rows", "write a whole number, seasonal, or {minimum: ..., maximum: ...}")


class Operations(CheckSettings):
    """Whether all data arrived, how quick the model is and how often it fails."""

    latency_p95_ms: Positive | None = None
    """the 95th percentile of the latency that is in order, in milliseconds, such as 200"""
    maximum_error_rate: Share | None = None
    """the share of failed inferences that is in order, such as 0.01"""
    expected_rows: Annotated[int | Literal["seasonal"] | RowRange | None, BeforeValidator(_expected_rows)] = None
    """the rows of a window: a whole number, seasonal (the default), or {minimum: ..., maximum: ...}"""
    minimum_effect: NotNegative = 0.2
    """the smallest change of the rows that matters, as a share of those expected, such as 0.2"""
    maximum_silence: PositiveDuration | None = None
    """the longest time without a row that is in order, such as 1h; by default what is usual"""
    minimum_completeness: Share = 1.0
    """the share of the expected rows (`inference_log.expected_rows`) that must have come, such as 0.99"""
    late_rows: Duration = timedelta(days=1)
    """how far back each run looks for rows that came after their window was read, such as 1d"""


def _fits_in_memory(value: int) -> int:
    if value > MOST_DRAWN:
        why = f"{{value}} is above {MOST_DRAWN:,}: the rows that are drawn are held in memory"
        raise refused(why, f"write {MOST_DRAWN} or less, such as 5000")
    return value


class MultivariateDrift(CheckSettings):
    """Change of the features' joint distribution, on a bounded sample."""

    maximum_rows: Annotated[Count, AfterValidator(_fits_in_memory)] = 5_000
    """the rows that are drawn of the window, and as many of the baseline, such as 5000"""
    minimum_rows: Count = 100
    """the rows below which a window is not judged, such as 100"""
    minimum_effect: Mapping[MultivariateMetric, NotNegative] = {}
    """the smallest value that matters, for each metric, such as {domain_classifier_auc: 0.55}"""

    @field_validator("minimum_effect")
    @classmethod
    def _auc(cls, value: Mapping[MultivariateMetricName, float]) -> Mapping[MultivariateMetricName, float]:
        auc = value.get("domain_classifier_auc")
        if auc is not None and not 0.5 <= auc < 1:
            raise refused("has a `domain_classifier_auc` outside 0.5 to 1", "write an AUC, such as 0.55")
        return value

    @model_validator(mode="after")
    def _judges(self) -> MultivariateDrift:
        if self.maximum_rows < self.minimum_rows:
            message = "`maximum_rows` is below `minimum_rows`, so that no window could be judged"
            raise refused(message, "raise `maximum_rows`, or lower `minimum_rows`")
        return self


class CustomCheck(Section):
    """A user's own check."""

    use: Annotated[
        Text,
        pattern(
            r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*",
            "a function of a module",
            'write "module:function", such as "my_package.checks:night_flights"',
        ),
    ]
    """the function to call, such as "my_package.checks:night_flights\""""
    arguments: Mapping[Text, Any] = Field(default={}, alias="with", repr=False)
    """the function's arguments, such as {limit: 0.2}"""
    python: Text | None = None
    """the path of an interpreter of its own, such as /opt/evidently/bin/python"""


Settings: TypeAlias = CheckSettings | CustomCheck


class Checks(Section):
    """Every built-in check is on unless it is off, which is None here; every other key is the user's own check."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, CustomCheck] = Field(init=False)

    data_drift: DataDrift | None = DataDrift()
    """settings, or off"""
    prediction_drift: PredictionDrift | None = PredictionDrift()
    """settings, or off"""
    concept_drift: ConceptDrift | None = ConceptDrift()
    """settings, or off"""
    performance: Performance | None = Performance()
    """settings, or off"""
    estimated_performance: EstimatedPerformance | None = EstimatedPerformance()
    """settings, or off"""
    data_quality: DataQuality | None = DataQuality()
    """settings, or off"""
    operations: Operations | None = Operations()
    """settings, or off"""
    multivariate_drift: MultivariateDrift | None = MultivariateDrift()
    """settings, or off"""

    @field_validator("*", mode="before")
    @classmethod
    def _off(cls, value: object, info: ValidationInfo) -> object:
        """Read ``off`` as None and ``on`` as the defaults."""
        if value is False:
            return None
        return cls.model_fields[info.field_name or ""].default if value is True else value

    @property
    def custom(self) -> Mapping[str, CustomCheck]:
        """The user's own checks, in the order of the file."""
        return self.__pydantic_extra__

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the checks that are on: the built-in ones, then the user's own."""
        return (*(name for name in type(self).model_fields if getattr(self, name) is not None), *self.custom)

    def settings(self, name: str) -> Settings | None:
        """Return a check's settings, None when it is off.

        Raises
        ------
        ConfigError
            If there is no check of this name.
        """
        if name in type(self).model_fields:
            settings: Settings | None = getattr(self, name)
            return settings
        if name in self.custom:
            return self.custom[name]
        known = [*type(self).model_fields, *self.custom]
        raise ConfigError(f"{name!r} is not a check of this monitor: {suggestion(name, known)}")
