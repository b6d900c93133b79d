"""SageMaker's ``constraints.json``, as its model monitor suggests it, read as expectations.

The file's form is that of Amazon SageMaker's developer guide, "Schema for Constraints (constraints.json file)".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from monitoring_tasks.errors import ConfigError
from monitoring_tasks.expectations.suite_file import Expectation, Suite

TYPES = {
    "Integral": ("INTEGER", "BIGINT", "BOOLEAN"),
    "Fractional": ("DOUBLE", "DECIMAL", "INTEGER", "BIGINT"),
    # In the CSV files that it infers types from, all of these are texts.
    "String": ("TEXT", "BOOLEAN", "DATE", "TIMESTAMP", "TIMESTAMPTZ"),
}
"""What a column of an inferred type may be; ``Unknown`` may be anything."""

_CONFIG = {"evaluate_constraints", "datatype_check_threshold", "domain_content_threshold"}
_FEATURE = {"name", "inferred_type", "completeness", "num_constraints", "string_constraints"}
_OVERRIDES = ("monitoringConfigOverrides", "monitoring_config_overrides")
"""What switches a single feature off: its guide's spelling, and that of its Python library, inside the constraints."""


def constraints_suite(content: Mapping[str, Any], path: Path) -> Suite:
    """Return the constraints as a suite.

    ``completeness`` becomes `expect_column_values_to_not_be_null`, ``is_non_negative`` a lower bound of 0, ``domains``
    a set of values of which ``domain_content_threshold`` must be inside, and ``inferred_type`` a list of types. What a
    feature overrides of ``monitoring_config`` holds for that feature.

    Raises
    ------
    ConfigError
        With everything that is wrong in the file, one line each.
    """
    problems: list[str] = []
    notes: list[str] = []
    config = content.get("monitoring_config") or {}
    if not isinstance(config, dict):
        problems.append("monitoring_config: is no object: write {name: value}")
        config = {}
    notes += [
        f"monitoring_config.{name} has no effect: "
        + ("`data_drift` compares distributions" if "distribution" in name or "drift" in name else "it is not read")
        for name in config
        if name not in _CONFIG | {"emit_metrics"}
    ]
    if _is_off(config):
        return Suite(path.stem, (), (*notes, "monitoring_config.evaluate_constraints is Disabled: nothing is expected"))
    expectations: list[Expectation] = []
    for number, feature in enumerate(content["features"]):
        place = f"features[{number}]"
        if not isinstance(feature, dict) or not isinstance(feature.get("name"), str) or not feature["name"]:
            problems.append(f'{place}: the name is missing: write "name": a column')
            continue
        known = _FEATURE.union(_OVERRIDES)
        notes += [f"{place}.{name} has no effect: it is not read" for name in feature if name not in known]
        its = {**config, **_overrides(feature)}
        if _is_off(its):
            notes.append(f"{place}: evaluate_constraints is Disabled: nothing is expected of {feature['name']!r}")
        else:
            expectations += _of_feature(feature, place, its, problems, notes)
    if problems:
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in problems))
    return Suite(path.stem, tuple(expectations), tuple(notes))


def _is_off(config: Mapping[str, Any]) -> bool:
    return str(config.get("evaluate_constraints", "Enabled")).lower() == "disabled"


def _overrides(feature: Mapping[str, Any]) -> dict[str, Any]:
    parts = [feature, feature.get("num_constraints"), feature.get("string_constraints")]
    found = [part.get(name) for part in parts if isinstance(part, dict) for name in _OVERRIDES]
    return {name: value for each in found if isinstance(each, dict) for name, value in each.items()}


def _of_feature(
    feature: Mapping[str, Any], place: str, config: Mapping[str, Any], problems: list[str], notes: list[str]
) -> Iterator[Expectation]:
    column: dict[str, Any] = {"column": feature["name"]}
    inferred = feature.get("inferred_type", "Unknown")
    if inferred in TYPES:
        types = {"type_list": list(TYPES[inferred])}
        where = f"{place}.inferred_type"
        # A column of a table has one type, so its values are all of it or none.
        if (
            _share(config.get("datatype_check_threshold", 1), "monitoring_config.datatype_check_threshold", problems)
            > 0
        ):
            yield Expectation("expect_column_values_to_be_in_type_list", column | types, place=where)
    elif inferred not in ("Unknown", None):
        problems.append(f"{place}.inferred_type: {inferred!r}: write {', '.join(TYPES)} or Unknown")
    if feature.get("completeness") is not None:
        mostly = _share(feature["completeness"], f"{place}.completeness", problems)
        yield _expected("expect_column_values_to_not_be_null", column, mostly, f"{place}.completeness")
    numbers = _object(feature, "num_constraints", place, problems)
    texts = _object(feature, "string_constraints", place, problems)
    for part, read, its in (("num_constraints", "is_non_negative", numbers), ("string_constraints", "domains", texts)):
        unread = [name for name in its if name not in (read, *_OVERRIDES)]
        notes += [f"{place}.{part}.{name} has no effect: it is not read" for name in unread]
    if numbers.get("is_non_negative"):
        where = f"{place}.num_constraints.is_non_negative"
        yield Expectation("expect_column_values_to_be_between", column | {"min_value": 0}, place=where)
    domains = texts.get("domains")
    if domains is None:
        return
    where = f"{place}.string_constraints.domains"
    if not isinstance(domains, list) or not domains:
        problems.append(f'{where}: is no list of values: write ["a", "b"]')
        return
    threshold = config.get("domain_content_threshold", 1)
    mostly = _share(threshold, "monitoring_config.domain_content_threshold", problems)
    yield _expected("expect_column_values_to_be_in_set", column | {"value_set": domains}, mostly, where)


def _expected(type_: str, arguments: Mapping[str, Any], mostly: float, place: str) -> Expectation:
    return Expectation(type_, {**arguments, **({"mostly": mostly} if mostly < 1 else {})}, place=place)


def _object(feature: Mapping[str, Any], name: str, place: str, problems: list[str]) -> Mapping[str, Any]:
    value = feature.get(name) or {}
    if isinstance(value, dict):
        return value
    problems.append(f"{place}.{name}: is no object: write {{name: value}}")
    return {}


def _share(value: Any, place: str, problems: list[str]) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    problems.append(f"{place}: {value!r} is no share: write a number from 0 to 1")
    return 1.0
