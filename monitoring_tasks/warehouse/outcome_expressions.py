"""The outcomes of rows as SQL: what `stream_outcomes` computes with numpy, for engines that count by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from sqlglot import exp

from monitoring_tasks.columns import Column
from monitoring_tasks.labels_profile import DELAY_BINS
from monitoring_tasks.outcome_bins import LABELS_OF_CLASS
from monitoring_tasks.profile import Bins
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.expressions import (
    double,
    finite,
    integer,
    named,
    number,
    search,
    selected,
    subquery,
    value,
)
from monitoring_tasks.warehouse.labels import Labelled, joined, predicted_value
from monitoring_tasks.warehouse.outcome_tally import OutcomeTally
from monitoring_tasks.warehouse.statement import Source, place_number, window_number

LARGEST_WHOLE = 2.0**62
"""Larger sums of one row are left out."""


@dataclass(frozen=True)
class Entry:
    """One thing that is counted of every row, as a column is."""

    name: str
    bin: exp.Expr
    """A whole number, never NULL."""
    by_outcome: bool = False
    sums: tuple[exp.Expr, ...] = ()
    """Up to two whole numbers."""
    losses: tuple[str, ...] = field(default=())
    """Names of what is summed."""


def outcome_rows(
    warehouse: Warehouse, source: Source, tally: OutcomeTally, columns: Mapping[str, exp.Expr]
) -> exp.Subquery:
    """Return the rows of the tally's windows with these columns, and what `entries` reads: y, f, n, p, z, place, o.

    The columns are expressions over the inference log; ``o`` is the row's outcome.
    """
    dialect, labelled = warehouse.dialect, tally.labelled
    bins = labelled.bins
    over_log = dict(columns)
    for i, score in enumerate(labelled.scores):
        over_log[f"z{i}"] = finite(value(score, dialect), dialect)
    if bins.task == "binary_classification" and not labelled.scores:
        over_log["z0"] = exp.cast(exp.null(), "double")  # the baseline has scores, and this log has lost its column
    if labelled.prediction is not None:
        over_log["p"] = predicted_value(labelled.prediction.name, labelled.prediction.type, bins, dialect)
    else:
        over_log["p"] = exp.cast(exp.null(), "int" if bins.classes else "double")
    if source.timestamp is not None:
        over_log["e"] = value(Column(source.timestamp, "timestamp", source.timestamp_type, ()), dialect)
        starts = [number(window.start.timestamp()) for window in tally.windows]
        window = window_number(source, tally.windows, dialect)
        over_log["u"] = _looked_up(window, starts)
    base = subquery(joined(warehouse, source, labelled.source, bins, tally.windows, over_log), "joined")
    names = [*over_log, "y", "f", "n"]
    placed = {**{name: named(name) for name in names}, "place": _place(labelled, dialect)}
    if bins.task == "multiclass_classification":
        placed["p"] = _told_apart(len(bins.classes) - 1)
    rows = subquery(selected(placed, base), "placed")
    outcome = {**{name: named(name) for name in placed}, "o": _outcome(labelled)}
    return subquery(selected(outcome, rows), "monitored")


def entries(source: Source, tally: OutcomeTally, dialect: str) -> list[Entry]:
    """Return what is counted of every row of `outcome_rows` beside its columns."""
    labelled = tally.labelled
    bins = labelled.bins
    found = [Entry("cells", _cell(labelled))]
    losses = _losses(labelled)
    for first in range(0, len(bins.losses), 2):
        names = bins.losses[first : first + 2]
        sums = tuple(_units(losses[name], bins.unit(name), known=name != "score") for name in names)
        found.append(Entry("losses", _cell(labelled), sums=sums, losses=names))
    if source.timestamp is not None:
        delay = exp.Paren(this=named("f") - named("e"))
        missing = exp.If(this=_is_null(named("f")), true=integer(0))
        found.append(Entry("delays", exp.Case(ifs=[missing], default=place_number(delay, DELAY_BINS, dialect))))
        last = tally.parts.shape[2] - 1
        since = exp.Paren(this=named("e") - named("u"))
        part = exp.cast(exp.Floor(this=since / number(tally.part_seconds)), "int")
        inside = [
            exp.If(this=part.copy() > integer(last), true=integer(last)),
            exp.If(this=part.copy() < integer(0), true=integer(0)),
        ]
        found.append(Entry("parts", exp.Case(ifs=inside, default=part), by_outcome=True))
    several = exp.Case(ifs=[exp.If(this=named("n") > integer(1), true=integer(1))], default=integer(0))
    found.append(Entry("repeated", several))
    for i in range(len(labelled.scores) if tally.class_scores is not None else 0):
        place = place_number(named(f"z{i}"), Bins("numeric", bins.score_edges), dialect) - integer(1)
        label = exp.Case(
            ifs=[
                exp.If(this=_is_null(named("y")), true=integer(LABELS_OF_CLASS - 1)),
                exp.If(this=exp.EQ(this=named("y"), expression=integer(i)), true=integer(1)),
            ],
            default=integer(0),
        )
        index = exp.Paren(this=exp.Paren(this=place) * integer(LABELS_OF_CLASS)) + label
        nowhere = exp.If(this=_is_null(named(f"z{i}")), true=integer(-1))
        found.append(Entry(f"class {i}", exp.Case(ifs=[nowhere], default=index)))
    return found


def _place(labelled: Labelled, dialect: str) -> exp.Expr:
    bins = labelled.bins
    if not bins.edges:
        return exp.cast(integer(0), "int")
    x: exp.Expr = named("z0") if bins.task == "binary_classification" else exp.Paren(this=named("p") - named("y"))
    missing = exp.If(this=_is_null(x), true=integer(0))
    return exp.cast(exp.Case(ifs=[missing], default=place_number(x, Bins("numeric", bins.edges), dialect)), "int")


def _told_apart(other: int) -> exp.Expr:
    """Return the prediction; none where it and the label are among the other classes, which may be the same or not."""
    both = exp.and_(*(exp.EQ(this=named(name), expression=integer(other)) for name in "py"))
    return exp.Case(ifs=[exp.If(this=both, true=exp.null())], default=named("p"))


def _cell(labelled: Labelled) -> exp.Expr:
    _, predictions, labels = labelled.bins.shape
    predicted = _or(named("p") + integer(1), named("p"), 0) if labelled.bins.classes else integer(0)
    label = _or(named("y") if labelled.bins.classes else integer(0), named("y"), labels - 1)
    return _number(named("place"), predicted, label, predictions, labels)


def _outcome(labelled: Labelled) -> exp.Expr:
    bins = labelled.bins
    _, predictions, labels = bins.split
    groups = bins.place_groups.tolist()
    bounds = [i + 1 for i, (a, b) in enumerate(pairwise(groups)) if a != b]
    group = search(named("place"), [integer(b) for b in bounds], [integer(groups[b]) for b in (0, *bounds)])
    last = int(bins.class_groups[-1])
    predicted: exp.Expr = integer(0)
    label: exp.Expr = integer(0)
    if bins.classes:
        predicted = _or(_at_most(named("p"), last) + integer(1), named("p"), 0)
        label = _at_most(named("y"), last)
    return exp.cast(_number(group, predicted, _or(label, named("y"), labels - 1), predictions, labels), "int")


def _number(place: exp.Expr, predicted: exp.Expr, label: exp.Expr, predictions: int, labels: int) -> exp.Expr:
    first = exp.Paren(this=exp.Paren(this=place) * integer(predictions) + predicted)
    return first * integer(labels) + label


def _losses(labelled: Labelled) -> dict[str, exp.Expr]:
    """Return each loss of `OutcomeBins.losses`, NULL without a label or an answer; the score needs no label."""
    bins = labelled.bins
    y = double(named("y"))
    if bins.task == "regression":
        error = exp.Paren(this=named("p") - named("y"))
        zero = exp.EQ(this=named("y"), expression=number(0.0))
        share = exp.Case(ifs=[exp.If(this=zero, true=number(0.0))], default=exp.Abs(this=error.copy() / named("y")))
        answered = exp.Case(ifs=[exp.If(this=_present(named("p")), true=named("y"))])
        return {
            "error": error,
            "error_squares": error * error,
            "absolute_error": exp.Abs(this=error.copy()),
            "percentage_error": share,
            "percentage_error_squares": share * share,
            "label": answered,
            "label_squares": answered * answered,
        }
    if bins.task == "binary_classification":
        score = named("z0")
        away = exp.Paren(this=score - y)
        is_one = exp.EQ(this=named("y"), expression=integer(1))
        right: exp.Expr = exp.Case(ifs=[exp.If(this=is_one, true=score)], default=number(1.0) - score)
        brier: exp.Expr = away * away
        found: dict[str, exp.Expr] = {"score": score}
    else:
        scores = [named(f"z{i}") for i in range(len(labelled.scores))]
        is_class = [exp.EQ(this=named("y"), expression=integer(i)) for i in range(len(scores))]
        right = exp.Case(ifs=[exp.If(this=test, true=score) for test, score in zip(is_class, scores, strict=True)])
        parts = [
            exp.Paren(this=score - exp.Case(ifs=[exp.If(this=test.copy(), true=number(1.0))], default=number(0.0)))
            for test, score in zip(is_class, scores, strict=True)
        ]
        brier = parts[0] * parts[0]
        for part in parts[1:]:
            brier = brier + part * part
        brier = exp.Paren(this=brier)
        found = {}
    epsilon = float(np.finfo(np.float64).eps)
    clipped = exp.Case(
        ifs=[
            exp.If(this=right < number(epsilon), true=number(epsilon)),
            exp.If(this=right.copy() > number(1 - epsilon), true=number(1 - epsilon)),
        ],
        default=right.copy(),
    )
    log_loss = exp.Paren(this=exp.Neg(this=exp.Ln(this=clipped)))
    return {
        **found,
        "log_loss": log_loss,
        "log_loss_squares": log_loss * log_loss,
        "brier": brier,
        "brier_squares": brier * brier,
    }


def _units(loss: exp.Expr, unit: float, *, known: bool) -> exp.Expr:
    """Return a loss as a whole multiple of its unit; NULL without a label."""
    whole = exp.Paren(this=loss) * number(1 / unit)
    fits: exp.Expr = exp.Between(this=whole, low=number(-LARGEST_WHOLE), high=number(LARGEST_WHOLE))
    if known:
        fits = exp.and_(_present(named("y")), fits)
    return exp.Case(ifs=[exp.If(this=fits, true=exp.cast(exp.Round(this=whole.copy()), "bigint"))])


def _looked_up(index: exp.Expr, values: Sequence[exp.Expr]) -> exp.Expr:
    """Return the value of a number from 0; of a number below 0 the first."""
    if len(values) == 1:
        return values[0]
    return search(index, [integer(i) for i in range(1, len(values))], list(values))


def _or(expression: exp.Expr, if_present: exp.Expr, otherwise: int) -> exp.Expr:
    return exp.Case(ifs=[exp.If(this=_is_null(if_present), true=integer(otherwise))], default=expression)


def _at_most(expression: exp.Expr, largest: int) -> exp.Expr:
    more = exp.If(this=expression > integer(largest), true=integer(largest))
    return exp.Paren(this=exp.Case(ifs=[more], default=expression.copy()))


def _is_null(expression: exp.Expr) -> exp.Expr:
    return exp.Is(this=expression.copy(), expression=exp.null())


def _present(expression: exp.Expr) -> exp.Expr:
    return exp.not_(_is_null(expression))
