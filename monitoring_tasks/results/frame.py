"""Results as a data frame, for notebooks and exports."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from monitoring_tasks.results import tables
from monitoring_tasks.results.store import Store, open_store

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
        One row per result, with the table's columns; times are UTC, what was not measured is missing.
    """
    import pandas as pd

    name = monitor if isinstance(monitor, str) else monitor.name
    opened = store or open_store()
    try:
        found = opened.results(
            name, start, end, checks=checks, metrics=metrics, columns=columns, segments=segments, statuses=statuses
        )
        return pd.DataFrame(list(found), columns=[column.name for column in tables.result.columns])
    finally:
        if store is None:
            opened.close()
