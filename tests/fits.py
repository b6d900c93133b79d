"""Trees that were learned once: of the same rows scikit-learn learns the same again, which takes most of a run's time.

A test that runs the same windows in several orders trains the same models in each of them. What it is about, which rows
are drawn and what becomes of a model, is done each time. That training finds the same again is a test of its own, see
`tests/statistics/multivariate`, and where several processes run, each trains for itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest


@contextmanager
def remembered() -> Iterator[dict[bytes, dict[str, Any]]]:
    """Train a model only where none was trained with the same parameters and numbers; yield those that were."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    original = HistGradientBoostingClassifier.fit
    known: dict[bytes, dict[str, Any]] = {}

    def fit(self: Any, rows: Any, side: Any, weight: Any = None) -> Any:
        if not isinstance(rows, np.ndarray):  # that of the demo, which learns of a table
            return original(self, rows, side, weight)
        digest = hashlib.sha256(repr(sorted(self.get_params().items())).encode())
        for each in (rows, side, weight):
            numbers = np.ascontiguousarray([] if each is None else each, dtype=np.float64)
            digest.update(repr(numbers.shape).encode() + numbers.tobytes())
        key = digest.digest()
        if key not in known:
            original(self, rows, side, weight)
            known[key] = dict(vars(self))
        vars(self).update(known[key])
        return self

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HistGradientBoostingClassifier, "fit", fit)
        yield known
