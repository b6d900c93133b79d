"""Raw rows counted as `Outcomes`: an own, plain implementation, and rows of simulated models."""

from __future__ import annotations

import numpy as np

from monitoring_tasks.statistics.performance.outcomes import Outcomes

EPSILON = np.finfo(np.float64).eps


def binary(labels, scores, edges, predictions=None):
    """Rows of a binary model; predicted positive from 0.5 on, unless `predictions` say otherwise."""
    labels, scores, edges = np.asarray(labels), np.asarray(scores, float), np.asarray(edges, float)
    predictions = (scores >= 0.5).astype(int) if predictions is None else np.asarray(predictions)
    places = 1 + np.searchsorted(edges, scores, side="right")
    cells = (places, predictions + 1, labels)
    shape = (len(edges) + 2, 3, 2)
    clipped = np.clip(scores, EPSILON, 1 - EPSILON)
    log_loss = -np.log(np.where(labels == 1, clipped, 1 - clipped))
    brier = (scores - labels) ** 2
    sums = {"score": scores} | with_squares(log_loss=log_loss, brier=brier)
    return Outcomes(count(shape, cells), {name: count(shape, cells, each) for name, each in sums.items()}, edges)


def multiclass(labels, scores, edges, predictions=None):
    """Rows of a multiclass model, `scores` of shape (n_rows, n_classes); the highest is predicted."""
    labels, scores, edges = np.asarray(labels), np.asarray(scores, float), np.asarray(edges, float)
    n_classes = scores.shape[1]
    predictions = scores.argmax(axis=1) if predictions is None else np.asarray(predictions)
    cells = (np.zeros_like(labels), predictions + 1, labels)
    shape = (1, n_classes + 1, n_classes)
    is_class = labels[:, np.newaxis] == np.arange(n_classes)
    log_loss = -np.log(np.clip(scores, EPSILON, 1 - EPSILON)[is_class])
    brier = ((scores - is_class) ** 2).sum(axis=1)
    sums = with_squares(log_loss=log_loss, brier=brier)
    bins = np.searchsorted(edges, scores, side="right")
    classes = np.broadcast_to(np.arange(n_classes), bins.shape)
    by_class = count((n_classes, len(edges) + 1, 2), (classes, bins, is_class.astype(int)))
    return Outcomes(
        count(shape, cells), {name: count(shape, cells, each) for name, each in sums.items()}, edges, by_class
    )


def regression(labels, predictions, edges):
    labels, predictions, edges = np.asarray(labels, float), np.asarray(predictions, float), np.asarray(edges, float)
    errors = predictions - labels
    cells = (1 + np.searchsorted(edges, errors, side="right"), np.zeros(len(errors), int), np.zeros(len(errors), int))
    shape = (len(edges) + 2, 1, 1)
    some = labels != 0
    percentage = np.divide(np.abs(errors), np.abs(labels), out=np.zeros_like(errors), where=some)
    sums = with_squares(error=errors, percentage_error=percentage, label=labels)
    sums |= {"absolute_error": np.abs(errors), "percentage_rows": some}
    return Outcomes(count(shape, cells), {name: count(shape, cells, each) for name, each in sums.items()}, edges)


def with_squares(**values):
    return values | {f"{name}_squares": each**2 for name, each in values.items()}


def count(shape, cells, weights=None):
    """Rows per cell, or the sum of `weights` over them."""
    table = np.zeros(shape, dtype=int if weights is None else float)
    np.add.at(table, cells, 1 if weights is None else weights)
    return table


def quantile_edges(values, n_bins):
    return np.unique(np.quantile(np.ravel(values), np.linspace(0, 1, n_bins + 1)[1:-1]))


def own_bins(values):
    """Edges by which every distinct value has a bin of its own: the values but the lowest."""
    return np.unique(values)[1:]


def stacked(outcomes):
    """Many outcomes on the same places as one, along a leading axis."""
    first = outcomes[0]
    return Outcomes(
        np.stack([each.counts for each in outcomes]),
        {name: np.stack([each.sums[name] for each in outcomes]) for name in first.sums},
        first.edges,
        None if first.class_scores is None else np.stack([each.class_scores for each in outcomes]),
    )


def times(outcomes, factor):
    scores = outcomes.class_scores
    return Outcomes(
        outcomes.counts * factor,
        {name: each * factor for name, each in outcomes.sums.items()},
        outcomes.edges,
        None if scores is None else scores * factor,
    )


def binormal(rng, n, base_rate, auc):
    """Labels and scores of normal scores with unit variance in both labels, calibrated for a base rate of one half."""
    from scipy.special import expit, ndtri

    distance = np.sqrt(2) * ndtri(auc)
    labels = (rng.random(n) < base_rate).astype(int)
    normal = rng.standard_normal(n) + distance * labels
    return labels, expit(distance * normal - distance**2 / 2 + np.log(base_rate / (1 - base_rate)))


def dirichlet(rng, n, n_classes, imbalance=1.0, concentration=1.0):
    """Labels drawn from calibrated scores of several classes, of which later ones are rarer."""
    scores = rng.dirichlet(concentration * imbalance ** np.arange(n_classes), size=n)
    labels = (rng.random(n)[:, np.newaxis] > np.cumsum(scores, axis=1)).sum(axis=1).clip(0, n_classes - 1)
    return labels, scores
