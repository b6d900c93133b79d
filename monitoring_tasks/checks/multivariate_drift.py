"""Multivariate drift: a change of the features' joint distribution, which no single feature need show."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from monitoring_tasks.checks.check import CheckContext, RowSamples
from monitoring_tasks.checks.result import Result, Status
from monitoring_tasks.checks.wording import counted, number, p_value
from monitoring_tasks.errors import NoKeyError
from monitoring_tasks.profile import Bins
from monitoring_tasks.reference import OWN_ROWS
from monitoring_tasks.statistics.histogram import FloatArray
from monitoring_tasks.statistics.multiple_testing import holm
from monitoring_tasks.statistics.multivariate import (
    DomainClassifier,
    PcaReconstruction,
    Undrifted,
    ZScore,
    domain_classifier,
    pca_reconstruction,
)
from monitoring_tasks.statistics.multivariate.domain_classifier import inverse_probit

if TYPE_CHECKING:
    import pyarrow as pa

    from monitoring_tasks.config import MultivariateDrift

AUC, ERROR = "domain_classifier_auc", "pca_reconstruction_error"

FLOORS = {AUC: 0.55, ERROR: 0.2}
"""Usual floors. 0.2 standard deviations is Cohen's small effect [1]_, and two normal distributions so far apart are
told from each other with an AUC of 0.556.

.. [1] Cohen, J. (1988). Statistical Power Analysis for the Behavioral Sciences. Lawrence Erlbaum.
"""

COLUMNS = 200
"""With more features the check is off unless the monitor file names it."""

FEWEST = 8
"""Rows that the classifier needs on either side, whatever the settings say."""

NAMED = 3
"""Features named in a message; `detail` has ten."""


def multivariate_drift(context: CheckContext) -> list[Result]:
    """Compare a sample of the window with one of the baseline, all features at once, in two ways.

    The domain classifier finds any difference; the PCA reconstruction error finds relations of the baseline that broke.
    An alarm needs both: significance at `false_alarm_rate` after Holm's correction over the two, and a value beyond
    `minimum_effect`. A significant value beyond half of it is a warning.
    """
    settings = context.monitor.checks.multivariate_drift
    if settings is None:
        return []
    columns = _columns(context)
    if len(columns) > COLUMNS and "multivariate_drift" not in context.monitor.checks.model_fields_set:
        message = (
            f"not compared: {len(columns)} features are more than {COLUMNS}; name checks.multivariate_drift in the "
            "monitor file to compare them all the same"
        )
        return [Result(AUC, status="info", message=message)]
    rows, needed = context.profile.rows, max(settings.minimum_rows, FEWEST)
    if rows < needed:
        return _unmeasured(context, f"{rows} rows are too few to judge, {needed} are needed")
    if not columns:
        return _unmeasured(context, "no feature can be read in both the window and the baseline")
    if context.draw is None:
        raise ValueError("this check reads rows and was given no way to draw any: pass `samples` to check_window")
    try:
        samples = context.draw(columns, settings.maximum_rows, needed)
    except NoKeyError as error:
        return _unmeasured(context, str(error))
    for side, name in ((samples.window, "window"), (samples.baseline, "baseline")):
        if len(side) < needed:
            return _unmeasured(context, f"the {name} has {len(side)} rows with a key, {needed} are needed")
    return _compared(context, settings, columns, samples)


def encoded(rows: pa.Table, bins: Sequence[Bins]) -> FloatArray:
    """Return rows as numbers, categories as the place of their bin; NaN is missing.

    Parameters
    ----------
    rows
        One column for each of `bins`.
    bins
        The baseline's frozen bins. A category that has none is *other* or *unseen*, as in a profile.

    Returns
    -------
    float ndarray, shape (n_rows, n_columns)
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    found = np.empty((len(rows), len(bins)))
    for place, (column, its) in enumerate(zip(rows.columns, bins, strict=True)):
        values = column
        if its.kind == "categorical":
            other = len(its.categories)
            known = pc.index_in(column, value_set=pa.array(its.categories, pa.string()))
            listed = pc.is_in(column, value_set=pa.array(its.others, pa.string()))
            rest = pc.if_else(pc.or_(listed, its.open_ended), other, other + 1)
            values = pc.if_else(pc.is_valid(column), pc.coalesce(known, rest.cast(pa.int32())), None)
        found[:, place] = values.cast(pa.float64()).fill_null(math.nan).to_numpy()
    return found


def _columns(context: CheckContext) -> list[str]:
    unreadable = {**context.baseline.unreadable, **context.profile.unreadable}
    return [name for name in context.baseline.features if name in context.profile.columns and name not in unreadable]


def _unmeasured(context: CheckContext, why: str) -> list[Result]:
    rows = Result(AUC, baseline_rows=context.baseline.rows, window_rows=context.profile.rows)
    return [replace(rows, status="insufficient_data", message=f"the features together: {why}")]


@dataclass(frozen=True)
class _ZScores:
    """Of one window, in standard deviations."""

    auc: ZScore
    error: ZScore | None
    """None where fewer than two features vary in what the window is compared with."""


@dataclass(frozen=True)
class _Measured:
    """The two statistics of one window."""

    told: DomainClassifier
    rebuilt: PcaReconstruction | None

    @property
    def z_scores(self) -> _ZScores:
        """All that is kept of a part."""
        return _ZScores(self.told.z, None if self.rebuilt is None else self.rebuilt.z)


def _compared(
    context: CheckContext, settings: MultivariateDrift, columns: Sequence[str], samples: RowSamples
) -> list[Result]:
    bins = [context.baseline.bins[name] for name in columns]
    categorical = [its.kind == "categorical" for its in bins]

    def measure(before: pa.Table, after: pa.Table) -> _Measured:
        reference, current = encoded(before, bins), encoded(after, bins)
        told = domain_classifier(reference, current, explain_below=-1.0)
        return _Measured(told, pca_reconstruction(reference, current, categorical))

    def contributions() -> FloatArray:
        """Train once more: to explain takes as long as to measure, and most windows are in order."""
        reference, current = encoded(samples.baseline, bins), encoded(samples.window, bins)
        return domain_classifier(reference, current).contributions

    mine = measure(samples.baseline, samples.window)
    told, rebuilt = mine.told, mine.rebuilt
    parts = samples.parts(lambda before, after: measure(before, after).z_scores, mine.z_scores)
    detail: dict[str, object] = {"baseline_sample": len(samples.baseline), "window_sample": len(samples.window)}
    detail |= {"parts": len(parts)}
    if samples.compared_with != OWN_ROWS:
        detail["compared_with"] = samples.compared_with
    undrifted = Undrifted.around_their_mean([part.auc for part in parts])
    wider = math.sqrt(effect := undrifted.design_effect(told.z.rows))
    first = Result(
        AUC,
        value=told.auc,
        value_lower=max(0.0, told.auc - (told.auc - told.lower) * wider),
        value_upper=min(1.0, told.auc + (told.upper - told.auc) * wider),
        p_value=undrifted.upper_tail(told.z),
        threshold_upper=float(settings.minimum_effect.get(AUC, FLOORS[AUC])),  # type: ignore[call-overload]
        baseline_rows=_reference_rows(context, columns),
        window_rows=context.profile.rows,
        detail={**detail, "design_effect": effect, "usual": _usual(told, undrifted)},
    )
    floor = float(settings.minimum_effect.get(ERROR, FLOORS[ERROR]))  # type: ignore[call-overload]
    second = replace(first, metric=ERROR, value=None, value_lower=None, value_upper=None, p_value=None, detail=detail)
    second = replace(second, threshold_lower=-floor, threshold_upper=floor)
    if rebuilt is not None:
        errors = [part.error for part in parts if part.error is not None]
        undrifted = Undrifted.around_zero(errors)
        wider = math.sqrt(effect := undrifted.design_effect(rebuilt.z.rows))
        second = replace(
            second,
            value=rebuilt.difference,
            value_lower=rebuilt.difference - (rebuilt.difference - rebuilt.lower) * wider,
            value_upper=rebuilt.difference + (rebuilt.upper - rebuilt.difference) * wider,
            p_value=undrifted.both_tails(rebuilt.z),
            detail={
                **detail,
                "parts": len(errors),
                "design_effect": effect,
                "components": rebuilt.components,
                "columns": rebuilt.columns,
                "explained": rebuilt.explained,
            },
        )
    p_values = [math.nan if result.p_value is None else result.p_value for result in (first, second)]
    significant = holm(p_values, settings.false_alarm_rate)
    return [
        _judged_classifier(first, bool(significant[0]), columns, contributions),
        _judged_reconstruction(second, bool(significant[1]), columns),
    ]


def _usual(told: DomainClassifier, undrifted: Undrifted) -> float:
    """Return the AUC that is expected without drift: above 0.5 where rows hang together."""
    return 0.5 if told.auc == 0.5 else inverse_probit(undrifted.usual(told.z.rows) * (told.auc - 0.5) / told.z.value)


def _reference_rows(context: CheckContext, columns: Sequence[str]) -> int:
    """Return how many rows the window is compared with, of which a sample was drawn."""
    reference = context.reference
    whole = [name for name in columns if reference.named(column=name) == reference.name]
    known = reference.columns.get("", {})
    return next((known[name].rows for name in whole if name in known), context.baseline.rows)


def _judged_classifier(
    result: Result, significant: bool, columns: Sequence[str], contributions: Callable[[], FloatArray]
) -> Result:
    value, floor = result.value or 0.0, result.threshold_upper or 0.0
    status = _status(value - 0.5, floor - 0.5, significant)
    moved = {"ok": "the features together are in order", "warning": "the features moved a little together"}
    words = f"{moved.get(status, 'the features moved together')}: a classifier tells window from baseline with AUC "
    usual = float(str(result.detail["usual"]))
    doubt = f"; {number(usual)} is usual without drift" if usual > floor else ""
    doubt += _doubt(result, value > floor, significant) + _like(result, status)
    words += f"{number(value)} ({floor:g} is the floor{doubt})"
    if status == "ok":
        return replace(result, status=status, message=words)
    shares = contributions()
    ranked = [(columns[i], float(shares[i])) for i in np.argsort(-shares, kind="stable")[:10] if shares[i] > 0]
    named = [name for name, share in ranked[:NAMED] if share >= ranked[0][1] / 10]
    detail = {**result.detail, "contributions": {name: round(share, 4) for name, share in ranked}}
    return replace(
        result, status=status, detail=detail, message=f"{words}; most by {_listed(named)}" if named else words
    )


def _judged_reconstruction(result: Result, significant: bool, columns: Sequence[str]) -> Result:
    if result.value is None:
        drawn = f"of {len(columns)} features fewer than two vary in the rows that were drawn from the baseline"
        why = f"{columns[0]} is the only feature that is compared" if len(columns) == 1 else drawn
        return replace(result, status="insufficient_data", message=f"{ERROR} cannot be measured, {why}")
    floor = result.threshold_upper or 0.0
    status = _status(abs(result.value), floor, significant)
    closer = "more" if result.value < 0 else "less"
    verdict = {
        "ok": "the features hang together as in the baseline",
        "warning": f"the features hang together a little {closer} than in the baseline",
        "alarm": f"the features hang together {closer} than in the baseline",
    }[status]
    doubt = _doubt(result, abs(result.value) > floor, significant) + _like(result, status)
    size = f"PCA reconstruction error {number(abs(result.value))} standard deviations "
    size += "below" if result.value < 0 else "above"
    message = f"{verdict}: {size} its own ({floor:g} is the floor{doubt})"
    return replace(result, status=status, message=message)


def _status(size: float, floor: float, significant: bool) -> Status:
    if not significant or size <= floor / 2:
        return "ok"
    return "alarm" if size > floor else "warning"


def _doubt(result: Result, beyond: bool, significant: bool) -> str:
    if not beyond or significant:
        return ""
    return f", but chance alone may do this: {p_value(result.p_value or 0.0)}"


def _like(result: Result, status: Status) -> str:
    """Say how many independent rows tell as much, where that is fewer; or, of what moved, that nobody knows."""
    if (parts := int(str(result.detail["parts"]))) < 2:  # as `Undrifted` takes them
        shown = "no undrifted windows show" if parts == 0 else "a single undrifted window does not show"
        why = f"; rows are taken as independent, for {shown} how much such windows differ"
        return "" if status == "ok" else why
    rows, effect = int(str(result.detail["window_sample"])), float(str(result.detail["design_effect"]))
    if effect < 1.5:
        return ""
    return f"; {rows:,} rows that vary like {counted(max(1, round(rows / effect)), 'independent one')}"


def _listed(names: Sequence[str]) -> str:
    """Write a list as people do.

    Examples
    --------
    >>> _listed(["temp"]), _listed(["temp", "dewp", "humid"])
    ('temp', 'temp, dewp and humid')
    """
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
