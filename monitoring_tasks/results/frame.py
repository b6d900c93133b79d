"""Results as a data frame, for notebooks and exports."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Float, Integer
from sqlalchemy.types import TypeEngine

from monitoring_tasks.results import tables
from monitoring_tasks.results.store import Store, open_store
from monitoring_tasks.results.tables import Instant

if TYPE_CHECKING:
    import pandas as pd

    from monitoring_tasks.config import Monitor


def results(
    monitor: Monitor | str,
    start: datetime | None = None,
    end: datetime | None = None,
    *,
    checks: Collection[str] = (),
    metrics: Collection[str] = (),
    columns: Collection[str] = (),
    segments: Collection[str] = (),
    statuses: Collection[str] = (),
    store: Store | None = None,
) -> pd.DataFrame:
    """Return rows of the table `result`, in time order.

    Parameters
    ----------
    monitor
        A monitor or its name.
    start, end
        Whole windows inside ``[start, end)``; None for no bound.
    checks, metrics, columns, segments, statuses
        Values to keep; empty for all.
    store
        An open store; by default the one that the environment names.

    Returns
    -------
    pandas.DataFrame
        One row per result, with the table's columns; times are UTC, what was not measured is missing. Types are the
        same whatever rows there are: counts are ``Int64``, numbers ``float64``, times ``datetime64[us, UTC]``.
    """
    import pandas as pd

    name = monitor if isinstance(monitor, str) else monitor.name
    opened = store or open_store()
    try:
        found = opened.results(
            name, start, end, checks=checks, metrics=metrics, columns=columns, segments=segments, statuses=statuses
        )
        frame = pd.DataFrame(list(found), columns=[column.name for column in tables.result.columns])
    finally:
        if store is None:
            opened.close()
    return frame.astype({column.name: _dtype(column.type) for column in tables.result.columns})


def _dtype(kind: TypeEngine[Any]) -> str:
    """Return the type of a table's column in a frame."""
    families = {Instant: "datetime64[us, UTC]", Integer: "Int64", Float: "float64", JSON: "object"}
    return next((dtype for family, dtype in families.items() if isinstance(kind, family)), "str")
