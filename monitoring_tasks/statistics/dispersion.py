"""By how much windows without drift differ from each other, beyond what as many independent rows would."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy.typing as npt

from monitoring_tasks.statistics.drift import Layout


@dataclass(frozen=True)
class Dispersion:
    """What the parts of a reference say about the next window of it."""

    parts: int
    """How many had rows."""
    length: timedelta
    """Of each."""


def dispersion(parts: npt.ArrayLike, layout: Layout, length: timedelta) -> Dispersion | None:  # noqa: ARG001
    """Measure how much the parts of a reference differ.

    Parameters
    ----------
    parts : int array, shape (n_parts, n_bins)
        Rows per bin of the whole column, null bin first, of each part: windows as long as those that are tested.
    layout : "numeric" or "categorical"
        That of the counts.
    length : timedelta
        Of each part.

    Returns
    -------
    Dispersion or None
        None of fewer than two parts with rows.
    """
    return None
