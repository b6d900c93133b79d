"""Names of types in suites, those of databases, of pandas and of Python, and the kinds of columns that they mean.

A suite is held against tables of any engine, and each spells its types in its own way. So a type is held by its kind:
``BIGINT``, ``int64`` and ``INTEGER`` all mean whole numbers, however wide.
"""

from __future__ import annotations

import re

from monitoring_tasks.config import ColumnType

KINDS: dict[ColumnType, tuple[str, ...]] = {
    "integer": (
        *("integer", "int", "int2", "int4", "int8", "int16", "int32", "int64", "bigint", "smallint", "tinyint"),
        *("hugeint", "mediumint", "long", "longtype", "integertype", "shorttype", "bytetype", "byteint", "uint8"),
        *("uint16", "uint32", "uint64", "ubigint", "uinteger", "int64dtype", "int32dtype", "int16dtype", "int8dtype"),
        *("serial", "bigserial"),
    ),
    "number": (
        *("double", "double precision", "doubleprecision", "double_precision", "float", "float4", "float8", "float16"),
        *("float32", "float64", "real", "doubletype", "floattype", "float64dtype", "float32dtype"),
    ),
    "decimal": ("decimal", "numeric", "number", "dec", "decimaltype", "bignumeric"),
    "boolean": ("boolean", "bool", "bool_", "booleantype", "booleandtype", "bit"),
    "string": (
        *("text", "varchar", "char", "character", "character varying", "string", "str", "object", "nvarchar", "bpchar"),
        *("stringtype", "stringdtype", "str_", "uuid", "enum", "clob"),
    ),
    "date": ("date", "datetype"),
    "timestamp": (
        *("timestamp", "datetime", "datetime64", "datetime64[ns]", "datetime64[us]", "timestamp_ntz", "datetime2"),
        *("timestamp without time zone", "timestamptype", "timestampntztype"),
    ),
    "timestamptz": ("timestamptz", "timestamp with time zone", "timestamp_tz", "timestamp_ltz", "datetimetzdtype"),
}

_KINDS = {name: kind for kind, names in KINDS.items() for name in names}


def kind_of(name: str) -> ColumnType | None:
    """Return the kind of column that the name of a type means; None of one that is not known.

    Examples
    --------
    >>> kind_of("BIGINT"), kind_of("VARCHAR(20)"), kind_of("float64"), kind_of("NUMERIC(10, 2)"), kind_of("JSONB")
    ('integer', 'string', 'number', 'decimal', None)
    """
    bare = re.sub(r"\(.*?\)", "", name).strip().lower()
    return _KINDS.get(bare) or _KINDS.get(re.sub(r"\s+", " ", bare))
