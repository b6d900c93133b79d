"""The rows to learn from: the inference log of a period with the label of each row, as SQL and as a Parquet file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp

from monitoring_tasks.config import ColumnType, Monitor
from monitoring_tasks.errors import DataError
from monitoring_tasks.inference_log import log_source
from monitoring_tasks.labels import label_source
from monitoring_tasks.warehouse.engine import Warehouse
from monitoring_tasks.warehouse.expressions import integer, named, selected, subquery
from monitoring_tasks.warehouse.keys import comparable_key
from monitoring_tasks.warehouse.statement import rows_of
from monitoring_tasks.window import Window

MOST_ROWS = 1_000_000
"""Rows of an export. Of more, those with the smallest MD5 of their keys are taken, which are the same on every run."""

BATCH = 50_000
"""Rows that this process holds at a time."""


def exports_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where exports lie: ``MONITORING_EXPORTS``, else the folder ``training`` in ``MONITORING_HOME``.

    Examples
    --------
    >>> exports_folder({"MONITORING_EXPORTS": "/srv/exports"}).as_posix()
    '/srv/exports'
    """
    given = environ.get("MONITORING_EXPORTS") or Path(environ.get("MONITORING_HOME") or ".monitoring") / "training"
    return Path(given).absolute()  # it is named to others, who stand elsewhere


def training_rows(monitor: Monitor, warehouse: Warehouse, period: Window) -> exp.Select:
    """Return the SELECT of the period's rows: every column of the inference log, the label and when it arrived.

    Rows without a label are left out, where the monitor has labels. Of several labels for one key the latest counts, of
    those that arrived together the largest, as in every check.

    Raises
    ------
    DataError
        If a table or column of the monitor file is missing, or of the wrong type.
    """
    types = warehouse.columns(monitor.inference_log.table)
    source = log_source(monitor, types)
    time, key = named(monitor.inference_log.timestamp), named(monitor.inference_log.key)
    if monitor.labels is None:
        rows = rows_of(warehouse, source, [period], {name: named(name) for name in types})
        return rows.order_by(time, *([key] if monitor.inference_log.key in types else []), copy=False)
    labels = label_source(monitor, warehouse, types)
    columns: dict[str, exp.Expr] = {name: named(name) for name in types}
    if labels.inline:
        rows = rows_of(warehouse, source, [period], columns)
        return rows.where(_present(named(labels.value)), copy=False).order_by(time, key, copy=False)
    join = _free("label_key", types)
    on = comparable_key(labels.log_key, labels.log_key_type, labels.key_type, as_text=labels.as_text)
    inner = subquery(rows_of(warehouse, source, [period], {**columns, join: on}), "inferences")
    value, arrived = _label_columns(monitor, types)
    k = comparable_key(labels.key, labels.key_type, labels.log_key_type, as_text=labels.as_text)
    latest_first = [exp.Ordered(this=named(name), desc=True) for name in (labels.timestamp, labels.value)]
    place = exp.Window(this=exp.RowNumber(), partition_by=[k.copy()], order=exp.Order(expressions=latest_first))
    every = {"k": k, value: named(labels.value), arrived: named(labels.timestamp), "place": place}
    known = selected(every, warehouse.table(labels.table))
    known = known.where(_present(named(labels.value)), _present(named(labels.timestamp)), copy=False)
    found = selected(
        {
            **{name: named(name, "inferences") for name in types},
            **{name: named(name, "labels") for name in (value, arrived)},
        },
        inner,
    )
    same = exp.EQ(this=named("k", "labels"), expression=named(join, "inferences"))
    first = exp.EQ(this=named("place", "labels"), expression=integer(1))
    found.set("joins", [exp.Join(this=subquery(known, "labels"), on=exp.and_(same, first))])
    return found.order_by(*(named(column.name, "inferences") for column in (time, key)), copy=False)


def training_query(monitor: Monitor, warehouse: Warehouse, period: Window) -> str:
    """Return the same as text that runs as it is in the warehouse."""
    return training_rows(monitor, warehouse, period).sql(dialect=warehouse.dialect, identify=True, pretty=True)


def export_rows(
    monitor: Monitor, warehouse: Warehouse, period: Window, action_id: str, most: int = MOST_ROWS
) -> tuple[Path, int]:
    """Write the rows into ``<folder>/<monitor>/<action_id>.parquet``; return the file and how many rows it holds.

    The file is written beside its place and moved there when it is whole. The warehouse sorts, and this process holds
    `BATCH` rows at a time.

    Raises
    ------
    DataError
        If the file cannot be written, or as `training_rows` does.
    TransientError
        If the warehouse does not answer.
    """
    query = training_rows(monitor, warehouse, period)
    total = int(
        warehouse.query(
            exp.select(exp.alias_(exp.Count(this=exp.Star()), "n")).from_(subquery(query.copy(), "rows_to_count"))
        )
        .column(0)[0]
        .as_py()
    )
    if total > most:
        inner = query.copy()
        inner.set("order", None)
        text = exp.MD5(this=exp.cast(named(monitor.inference_log.key), "text"))
        query = (
            exp.select("*")
            .from_(subquery(inner, "every_row"))
            .order_by(text, named(monitor.inference_log.key))
            .limit(integer(most))
        )
    file = exports_folder() / monitor.name / f"{action_id}.parquet"
    try:
        with _moved_into(file) as path:
            _write(warehouse, query, _schema(monitor, warehouse), path)
    except OSError as error:
        raise DataError(f"the rows cannot be written to {file}: {error.strerror or error}") from error
    return file, min(total, most)


def _write(warehouse: Warehouse, query: exp.Select, schema: pa.Schema, path: Path) -> None:
    with pq.ParquetWriter(path, schema) as writer:
        for batch in warehouse.batches(query, BATCH):
            writer.write_table(_as(schema, batch))


def _as(schema: pa.Schema, batch: pa.RecordBatch) -> pa.Table:
    columns = []
    for field in schema:
        column = batch.column(field.name)
        if field.type == pa.string() and not pa.types.is_string(column.type):
            column = pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())
        # A key of 64 bits without a sign does not fit: no file rather than one whose keys are of other rows.
        columns.append(column.cast(field.type, safe=field.type == pa.int64()))
    return pa.Table.from_arrays(columns, schema=schema)


def _schema(monitor: Monitor, warehouse: Warehouse) -> pa.Schema:
    types = warehouse.columns(monitor.inference_log.table)
    every = dict(types)
    if monitor.labels is not None:
        labels = label_source(monitor, warehouse, types)
        if not labels.inline:
            value, arrived = _label_columns(monitor, types)
            every |= {value: labels.value_type, arrived: labels.timestamp_type}
    return pa.schema([(name, ARROW[type_]) for name, type_ in every.items()])


ARROW: Mapping[ColumnType, pa.DataType] = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "decimal": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", "UTC"),
    "string": pa.string(),
    "other": pa.string(),
}
"""How a file holds each type. An engine may give each batch another one, such as null where all values are missing."""


def _label_columns(monitor: Monitor, types: Mapping[str, ColumnType]) -> tuple[str, str]:
    """Return the names of the label and of its arrival among the columns of the log."""
    assert monitor.labels is not None
    value = _free(monitor.labels.value, types)
    return value, _free(monitor.labels.timestamp, [*types, value])


def _free(name: str, taken: Mapping[str, ColumnType] | list[str]) -> str:
    lower = {each.lower() for each in taken}
    while name.lower() in lower:
        name = f"label_{name}"
    return name


def _present(column: exp.Expr) -> exp.Expr:
    return exp.Not(this=exp.Is(this=column, expression=exp.null()))


@contextmanager
def _moved_into(file: Path) -> Iterator[Path]:
    file.parent.mkdir(parents=True, exist_ok=True)
    # Not a temporary file of the library: it would be readable by this process's user only, and others train.
    path = file.parent / f".{file.stem}-{uuid4().hex}.part"
    try:
        yield path
        path.replace(file)
    finally:
        path.unlink(missing_ok=True)
