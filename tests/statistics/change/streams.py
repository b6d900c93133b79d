"""Streams whose concept changes at a known row: the classics of the literature, as pure functions.

Street, W. N., & Kim, Y. (2001). A streaming ensemble algorithm (SEA) for large-scale classification. KDD, 377-382.
Gama, J., Medas, P., Castillo, G., & Rodrigues, P. (2004). Learning with drift detection. SBIA, 286-295: SINE1, MIXED
and CIRCLES. Pesaranghader, A., Viktor, H. L., & Paquet, E. (2018). McDiarmid drift detection methods for evolving data
streams. IJCNN: the same with a tenth of the labels turned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Stream:
    features: np.ndarray
    """Shape (n_rows, n_features)."""
    labels: np.ndarray
    """0 or 1, shape (n_rows,)."""
    change: int
    """First row of the new concept."""


def generator(seed: int) -> np.random.Generator:
    """Name the bit generator: literals in the tests hang on it."""
    return np.random.Generator(np.random.PCG64(seed))


def sea(rng: np.random.Generator, before: int, after: int, thetas=(7.0, 9.5), noise: float = 0.1) -> Stream:
    """Three features in [0, 10], the third irrelevant; positive if the first two sum to at most theta."""
    features = rng.uniform(0, 10, (before + after, 3))
    theta = np.where(np.arange(before + after) < before, *thetas)
    return Stream(features, turned(rng, features[:, 0] + features[:, 1] <= theta, noise), before)


def sea_slight(rng: np.random.Generator, before: int, after: int) -> Stream:
    """Its smallest change, theta from 8 to 9."""
    return sea(rng, before, after, thetas=(8.0, 9.0))


def sine(rng: np.random.Generator, before: int, after: int, noise: float = 0.1) -> Stream:
    """SINE1: positive below y = sin(x), then above it."""
    features = rng.random((before + after, 2))
    positive = features[:, 1] < np.sin(features[:, 0])
    return Stream(features, turned(rng, positive ^ (np.arange(before + after) >= before), noise), before)


def mixed(rng: np.random.Generator, before: int, after: int, noise: float = 0.1) -> Stream:
    """Two flags and y < 0.5 + 0.3 sin(3 pi x): positive if two of the three hold, then if not."""
    n = before + after
    flags, points = rng.integers(0, 2, (n, 2)), rng.random((n, 2))
    held = flags.sum(axis=1) + (points[:, 1] < 0.5 + 0.3 * np.sin(3 * np.pi * points[:, 0]))
    labels = turned(rng, (held >= 2) ^ (np.arange(n) >= before), noise)
    return Stream(np.column_stack((flags, points)), labels, before)


def circles(
    rng: np.random.Generator, before: int, after: int, discs=((0.2, 0.5, 0.15), (0.6, 0.5, 0.25)), noise: float = 0.1
) -> Stream:
    """Positive inside a disc (x, y, radius), then inside another: the first and the third of the paper's four."""
    features = rng.random((before + after, 2))
    x, y, radius = np.where((np.arange(before + after) < before)[:, np.newaxis], *np.array(discs)).T
    inside = (features[:, 0] - x) ** 2 + (features[:, 1] - y) ** 2 <= radius**2
    return Stream(features, turned(rng, inside, noise), before)


def turned(rng: np.random.Generator, positive: np.ndarray, noise: float) -> np.ndarray:
    return (positive ^ (rng.random(positive.size) < noise)).astype(np.int64)


STREAMS: dict[str, Callable[[np.random.Generator, int, int], Stream]] = {
    "SEA 7 to 9.5": sea,
    "SEA 8 to 9": sea_slight,
    "sine": sine,
    "mixed": mixed,
    "circles": circles,
}


def errors(stream: Stream, train: int) -> tuple[np.ndarray, int]:
    """Return the 0/1 errors after the first `train` rows of a model fitted to those, and the row of the change.

    The model is a logistic regression on powers of the features up to the third, which comes near to all four concepts.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    model = make_pipeline(
        StandardScaler(), PolynomialFeatures(3, include_bias=False), StandardScaler(), LogisticRegression(max_iter=1000)
    )
    model.fit(stream.features[:train], stream.labels[:train])
    wrong = model.predict(stream.features[train:]) != stream.labels[train:]
    return wrong.astype(np.float64), stream.change - train


def errors_11() -> np.ndarray:
    rng = generator(11)
    parts = [rng.random(n) < p for n, p in ((2000, 0.1), (1500, 0.3), (1500, 0.12))]
    return np.concatenate(parts).astype(np.float64)


def losses_12() -> np.ndarray:
    rng = generator(12)
    return np.concatenate([rng.beta(2, 18, 2000), rng.beta(6, 10, 1500), rng.beta(3, 15, 1500)])


def residuals_13() -> np.ndarray:
    rng = generator(13)
    return np.concatenate([rng.normal(0, 1, 2000), rng.normal(0.6, 1, 1500), rng.normal(-0.4, 1.5, 1500)])


def saw_14() -> np.ndarray:
    rng = generator(14)
    return np.concatenate([rng.random(300) < p for p in (0.1, 0.5, 0.05, 0.6, 0.9, 0.2, 0.7, 0.1)]).astype(np.float64)


SERIES = {"errors": errors_11, "losses": losses_12, "residuals": residuals_13, "saw": saw_14}
"""What the literals of other packages were made from: the first three change after 2000 and 3500 rows, the last seven
times, after every 300."""
