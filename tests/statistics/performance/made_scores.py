"""Scores of a simulated binary model, counted, and how often intervals hold."""

import numpy as np

from monitoring_tasks.statistics.performance.outcomes import Outcomes

BINS = 20
EDGES = np.linspace(0, 1, BINS + 1)


def table(score, label, group=None, groups=1):
    """Outcomes by bin of a group, with all sums of a binary model; predicted is what scores above 0.5."""
    group = np.zeros(len(score), int) if group is None else group
    label = label.astype(int)
    at = group, 1 + np.searchsorted(EDGES, score, side="right"), 1 + (score > 0.5), label
    counts = np.zeros((groups, BINS + 3, 3, 2), int)
    np.add.at(counts, at, 1)
    loss = -np.log(np.where(label == 1, score, 1 - score))
    square = (score - label) ** 2
    sums = {}
    for name, value in (("score", score), ("log_loss", loss), ("log_loss_squares", loss**2), ("brier", square)):
        sums[name] = np.zeros(counts.shape)
        np.add.at(sums[name], at, value)
    return Outcomes(counts, sums, EDGES)


def summed(outcomes):
    return Outcomes(
        outcomes.counts.sum(axis=0), {name: total.sum(axis=0) for name, total in outcomes.sums.items()}, outcomes.edges
    )


def scores(rng, rows, level=0.0):
    """Scores and labels; the score is not the probability: it is too sure."""
    logit = rng.normal(level, 1.2, rows)
    label = rng.random(rows) < 1 / (1 + np.exp(-logit * 0.6 + 0.3))
    return 1 / (1 + np.exp(-logit)), label


def coverage(runs, one):
    return np.mean([found.lower <= truth <= found.upper for found, truth in (one() for _ in range(runs))])
