"""Propensity score and density ratio: how likely, or how many times as likely, a row is in the other sample."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.histogram import FloatArray
from monitoring_tasks.statistics.multivariate.domain_classifier import checked_samples, one_thread

FOLDS = 5
"""Each row's ratio is told by a model of the other four fifths; folds are every fifth row."""

LARGEST = 20.0
"""Ratios are held within 1/20 and 20: a row should not stand for more than 20 others."""

TREES, LEAVES, RATE = 80, 6, 0.1
SEED = 20090901
"""Any will do: without early stopping nothing in the trees is random."""


def density_ratio(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Estimate how many times as likely each row is on the other side.

    A classifier learns to tell the sides apart [1]_: gradient-boosted trees, both sides weighing the same, say the odds
    of a row being current, which are the ratio of the densities. Each fold of rows is scored by a model of the others,
    for of rows that it has learned from a model is too sure. The weights' means are brought to 1.

    Parameters
    ----------
    reference : float array, shape (n, n_columns)
        Rows in random order; NaN is missing, a category a number.
    current : float array, shape (m, n_columns)
        The same columns.

    Returns
    -------
    reference : float ndarray, shape (n,)
        Weight of each row with which the reference's features are like the current ones; about 1 without a shift.
        Clipped to [1/20, 20] before their mean is brought to 1.
    current : float ndarray, shape (m,)
        The same the other way round.

    Raises
    ------
    ValueError
        If a side has fewer rows than folds, or the sides do not share their columns.

    References
    ----------
    .. [1] Bickel, S., Bruckner, M., & Scheffer, T. (2009). Discriminative learning under covariate shift. Journal of
       Machine Learning Research, 10, 2137-2155.

    Examples
    --------
    >>> weights, _ = density_ratio([[0.0], [1.0]] * 200, [[0.0], [1.0], [1.0], [1.0]] * 100)
    >>> [round(float(weight), 1) for weight in weights[:2]]
    [0.5, 1.5]
    """
    towards, back = (np.exp(logit) for logit in propensity_logits(reference, current))
    towards, back = np.clip(towards, 1 / LARGEST, LARGEST), 1 / np.clip(back, 1 / LARGEST, LARGEST)
    return towards / towards.mean(), back / back.mean()


def propensity_logits(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Estimate the logarithm of the odds of each row being current, were both sides as many.

    Of all functions of the features this is the coarsest within which the sides have the same features [1]_: rows of
    equal odds may be compared.

    Parameters
    ----------
    reference, current : float array, shape (n, n_columns) and (m, n_columns)
        As in `density_ratio`.

    Returns
    -------
    reference, current : float ndarray, shape (n,) and (m,)
        0 where the sides cannot be told apart.

    Raises
    ------
    ValueError
        As `density_ratio`.

    References
    ----------
    .. [1] Rosenbaum, P. R., & Rubin, D. B. (1983). The central role of the propensity score in observational studies
       for causal effects. Biometrika, 70(1), 41-55.

    Examples
    --------
    >>> logits, _ = propensity_logits([[0.0], [1.0]] * 200, [[0.0], [1.0], [1.0], [1.0]] * 100)
    >>> [round(float(logit), 1) for logit in logits[:2]]
    [-0.7, 0.4]
    """
    before, after = _enough(reference, current)
    from sklearn.ensemble import HistGradientBoostingClassifier

    both = np.vstack([before, after])
    # scikit-learn cannot bin a column without any value; as a constant it says nothing either.
    both = np.where(np.isnan(both).all(axis=0), 0.0, both)
    drawn = np.concatenate([np.zeros(len(before)), np.ones(len(after))])
    fold = np.concatenate([np.arange(len(side)) % FOLDS for side in (before, after)])
    weight = np.where(drawn == 1, len(drawn) / (2 * len(after)), len(drawn) / (2 * len(before)))
    logit = np.empty(len(both))
    with one_thread():
        for held_out in range(FOLDS):
            seen = fold != held_out
            known = np.where(np.isnan(both[seen]).all(axis=0), 0.0, both)
            model = HistGradientBoostingClassifier(
                max_iter=TREES,
                max_leaf_nodes=LEAVES,
                learning_rate=RATE,
                min_samples_leaf=20,
                l2_regularization=1.0,
                max_bins=64,
                early_stopping=False,
                random_state=SEED,
            ).fit(known[seen], drawn[seen], weight[seen])
            logit[~seen] = model.decision_function(known[~seen])
    return logit[: len(before)], logit[len(before) :]


def told_apart(reference: npt.ArrayLike, current: npt.ArrayLike) -> float:
    """Return how well the sides are told apart: the area under the ROC curve of a quick look.

    Few trees learn from four fifths of the rows and tell the other fifth. It takes a tenth of what `propensity_logits`
    does, which has nothing to say where nearly no row has its like on the other side.

    Parameters
    ----------
    reference, current : float array, shape (n, n_columns) and (m, n_columns)
        As in `density_ratio`.

    Returns
    -------
    float
        0.5 where they cannot be told apart, 1 where they have nothing in common. Also 0.5 of a side with so few rows
        that a tree cannot part them: a leaf holds 20 of those that are learned from.

    Raises
    ------
    ValueError
        As `density_ratio`.

    Examples
    --------
    >>> apart = told_apart([[0.0], [1.0]] * 200, [[2.0], [3.0]] * 200)
    >>> alike = told_apart([[0.0], [1.0]] * 200, [[0.0], [1.0]] * 200)
    >>> round(apart, 2), round(alike, 2)
    (1.0, 0.5)
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    before, after = _enough(reference, current)
    both = np.vstack([before, after])
    drawn = np.concatenate([np.zeros(len(before)), np.ones(len(after))])
    seen = np.concatenate([np.arange(len(side)) % FOLDS > 0 for side in (before, after)])
    known = np.where(np.isnan(both[seen]).all(axis=0), 0.0, both)
    with one_thread():
        model = HistGradientBoostingClassifier(
            max_iter=TREES // 4,
            max_leaf_nodes=LEAVES,
            learning_rate=4 * RATE,
            min_samples_leaf=20,
            max_bins=64,
            early_stopping=False,
            random_state=SEED,
        ).fit(known[seen], drawn[seen])
        return float(roc_auc_score(drawn[~seen], model.decision_function(known[~seen])))


def _enough(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return both samples, of which each has a row for every fold."""
    before, after = checked_samples(reference, current)
    for name, side in (("reference", before), ("current", after)):
        if len(side) < FOLDS:
            raise ValueError(f"`{name}` has {len(side)} rows, {FOLDS} are needed for as many folds: pass more rows")
    return before, after
