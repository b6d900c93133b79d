"""Many samples of a simulated model at once, counted, for the coverage of intervals."""

from __future__ import annotations

import numpy as np

from monitoring_tasks.statistics.performance.outcomes import Outcomes
from tests.statistics.performance import raw_rows


def binary(rng, samples, n, base_rate, auc, edges, cut, shift=0.0, stretch=1.0):
    """`samples` samples of n rows each along the leading axis; rows are predicted positive from a score of `cut` on.

    The scores' logits may be stretched and shifted, so that they are not calibrated.
    """
    from scipy.special import expit, logit

    labels, scores = raw_rows.binormal(rng, samples * n, base_rate, auc)
    scores = expit(stretch * logit(scores) + shift)
    places = np.repeat(np.arange(samples), n), 1 + np.searchsorted(edges, scores, side="right")
    cells = (*places, 1 + (scores >= cut), labels)
    shape = (samples, len(edges) + 2, 3, 2)
    loss = -np.log(np.where(labels == 1, scores, 1 - scores))
    sums = {"score": scores} | raw_rows.with_squares(log_loss=loss, brier=(scores - labels) ** 2)
    return tables(shape, cells, sums, edges)


def regression(rng, samples, n, edges, tails=np.inf):
    """Labels N(50, 10), errors N(0.5, 4) or, with finite `tails`, of Student's distribution; relative ones apart."""
    labels = rng.normal(50, 10, samples * n)
    errors = 0.5 + 4 * (rng.standard_normal(samples * n) if np.isinf(tails) else rng.standard_t(tails, samples * n))
    # The label holds the error, so that R squared is what it is of a model that predicts label plus error.
    cells = (np.repeat(np.arange(samples), n), 1 + np.searchsorted(edges, errors, side="right"))
    zero = np.zeros(samples * n, int)
    sums = raw_rows.with_squares(error=errors, percentage_error=np.abs(errors / labels), label=labels)
    sums["absolute_error"] = np.abs(errors)
    return tables((samples, len(edges) + 2, 1, 1), (*cells, zero, zero), sums, edges)


def multiclass(rng, samples, n, edges, n_classes=3, imbalance=1.0):
    labels, scores = raw_rows.dirichlet(rng, samples * n, n_classes, imbalance)
    sample = np.repeat(np.arange(samples), n)
    cells = (sample, np.zeros_like(labels), 1 + scores.argmax(axis=1), labels)
    is_class = labels[:, np.newaxis] == np.arange(n_classes)
    loss, brier = -np.log(scores[is_class]), ((scores - is_class) ** 2).sum(axis=1)
    bins = np.searchsorted(edges, scores, side="right")
    by_class = (np.broadcast_to(sample[:, np.newaxis], bins.shape), np.broadcast_to(np.arange(n_classes), bins.shape))
    class_scores = added((samples, n_classes, len(edges) + 1, 2), (*by_class, bins, is_class.astype(int)))
    shape = (samples, 1, n_classes + 1, n_classes)
    sums = raw_rows.with_squares(log_loss=loss, brier=brier)
    return tables(shape, cells, sums, edges, class_scores.astype(int))


def tables(shape, cells, sums, edges, class_scores=None):
    counts = added(shape, cells).astype(int)
    return Outcomes(counts, {name: added(shape, cells, each) for name, each in sums.items()}, edges, class_scores)


def added(shape, cells, weights=None):
    flat = np.ravel(np.ravel_multi_index(cells, shape))
    return np.bincount(flat, weights=weights, minlength=int(np.prod(shape))).reshape(shape)
