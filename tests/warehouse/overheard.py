"""Warehouses that keep the statements they are asked."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import sqlglot
from sqlglot import exp

from monitoring_tasks.config import ColumnType
from monitoring_tasks.warehouse.engine import Warehouse


class Unanswered:
    """Keeps the statements for a server that is not here; every answer is empty."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.statements: list[str] = []

    def table(self, name: str) -> exp.Expr:
        return exp.to_table(name)

    def columns(self, name: str) -> dict[str, ColumnType]:
        raise NotImplementedError(name)

    def query(self, select: exp.Query) -> pa.Table:
        text = select.sql(dialect=self.dialect, identify=True, comments=False)
        self.statements.append(select.sql(dialect=self.dialect, identify=True, comments=False, pretty=True))
        assert sqlglot.parse_one(text, dialect=self.dialect).sql(self.dialect, identify=True) == text
        return pa.table({name: pa.array([], pa.int64()) for name in select.named_selects})

    def batches(self, select: exp.Query, rows: int) -> Iterator[pa.RecordBatch]:
        assert rows > 0
        yield from self.query(select).to_batches()

    def explain(self, select: exp.Query) -> str:
        raise NotImplementedError(select)


class Overheard(Unanswered):
    """Keeps the statements, asks a real warehouse, and keeps its answers."""

    def __init__(self, warehouse: Warehouse) -> None:
        super().__init__(warehouse.dialect)
        self.warehouse = warehouse
        self.answers: list[pa.Table] = []
        self.table = warehouse.table  # type: ignore[method-assign]

    def query(self, select: exp.Query) -> pa.Table:
        super().query(select)
        self.answers.append(self.warehouse.query(select))
        return self.answers[-1]
