"""A monitor file as frozen values. The only place with defaults, besides `checks`."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    TypeAdapter,
    ValidationInfo,
    field_validator,
    model_validator,
)

from monitoring_tasks.config.checks import Checks, Settings
from monitoring_tasks.config.document import Document, KeyPath
from monitoring_tasks.config.fields import (
    Class,
    Column,
    Count,
    Duration,
    PositiveDuration,
    Section,
    Text,
    Time,
    distinct,
    in_utc,
    one_of,
    one_or_more,
    pattern,
    read_schedule,
    reference,
    refused,
)
from monitoring_tasks.expectations.suite_digest import suite_digest
from monitoring_tasks.window import Schedule, Window

KindName = Literal["numeric", "categorical", "timestamp"]
TaskName = Literal["binary_classification", "multiclass_classification", "regression"]
SeasonName = Literal["hour_of_day", "day_of_week", "hour_of_week"]
AlertStatusName = Literal["warning", "alarm", "insufficient_data", "error"]
SeverityName = Literal["low", "medium", "high", "critical"]
ApprovalName = Literal["required", "none"]
VerdictName = Literal["approve", "reject"]
ResetName = Literal["automatic", "manual"]
GroupName = Literal["check", "column", "segment"]

RETRAINING = "retraining"
"""The name of the alert that stands for `retraining.when`."""

Kind = Annotated[KindName, one_of("a kind of feature", KindName)]
Channel = Annotated[Text, reference("a channel", "MONITORING_CHANNEL")]
Connection = Annotated[Text, reference("a connection")]
DagId = Annotated[Text, pattern(r"[\w.-]+", "a DAG id", "write letters, digits, dots, hyphens and underscores")]

_KINDS: TypeAdapter[dict[str, KindName]] = TypeAdapter(dict[Column, Kind])
_NAMES: TypeAdapter[tuple[str, ...]] = TypeAdapter(Annotated[tuple[Column, ...], distinct("feature")])
_CLASSES: TypeAdapter[dict[str, str]] = TypeAdapter(dict[Text, Column])


class Features(Section):
    """The model's inputs."""

    names: tuple[str, ...] | None = None
    """None: every column of the table that has no other part in the monitor."""
    kinds: Mapping[str, KindName] = {}
    """Those that the file states; the others follow from the table's types."""


def _features(value: object) -> object:
    if isinstance(value, Mapping):
        kinds = _KINDS.validate_python(value)
        if not kinds:
            raise refused("names no feature", "write `name: kind` for each, or '*' for all columns")
        return Features(names=tuple(kinds), kinds=kinds)
    if isinstance(value, (list, tuple)):
        return Features(names=_NAMES.validate_python(value))
    if value == "*" or isinstance(value, Features):
        return Features() if value == "*" else value
    raise refused("{value} names no features", "write {name: kind}, a list of names, or '*' for all columns")


def _score(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    columns = _CLASSES.validate_python(value)
    if len(columns) < 2:
        raise refused("names fewer than two classes", "write `class: column` for each class")
    return columns


class ExpectedRows(Section):
    """Which rows should have come: a table with their keys, or with how many they are."""

    table: Text
    """a table, a view, schema.table or, with DuckDB, a Parquet path or glob"""
    timestamp: Column | None = None
    """its column with the time of each expected inference; by default named as the inference log's"""
    key: Column | None = None
    """its column with the key of each; by default named as the inference log's"""
    rows: Column | None = None
    """instead of keys, its column that says how many rows should come at that time"""

    @model_validator(mode="after")
    def _keys_or_counts(self) -> ExpectedRows:
        if self.key is not None and self.rows is not None:
            raise refused("has both `key` and `rows`", "remove one of them")
        return self


def _expected_rows(value: object) -> object:
    return {"table": value} if isinstance(value, str) else value


class InferenceLog(Section):
    """What the model was asked and what it answered: one row per inference."""

    table: Text
    """a table, a view, schema.table or, with DuckDB, a Parquet path or glob"""
    timestamp: Column
    """the column with the time of each inference"""
    key: Column
    """the column whose value is unique for each inference"""
    features: Annotated[Features, BeforeValidator(_features)]
    """{name: kind}, a list of names, or '*' for all columns"""
    prediction: Column | None = None
    """the column with the predicted class or number"""
    score: Annotated[Column | Mapping[str, str] | None, BeforeValidator(_score)] = None
    """the column with P(positive), or {class: column} of a multiclass model"""
    positive_class: Class | None = None
    """the class that `score` is the probability of, as the labels hold it"""
    model_version: Column | None = None
    """the column with the model's version"""
    latency_ms: Column | None = None
    """the column with the latency in milliseconds"""
    error: Column | None = None
    """the column that holds an error's text, or true, where an inference failed"""
    expected_rows: Annotated[ExpectedRows | None, BeforeValidator(_expected_rows)] = None
    """the table with the keys or counts that should have arrived: its name, or {table: ..., key: ...}"""


class Labels(Section):
    """What really happened, as it becomes known."""

    table: Text
    """the labels' table; may be that of the inference log"""
    key: Column
    """the column that joins a label to its inference"""
    value: Column
    """the column with the label"""
    timestamp: Column
    """the column with the time the label arrived"""
    complete_after: Duration
    """how long after a window its labels are complete, such as 2d"""


class Period(Section):
    """A half-open period of the inference log."""

    start: Time
    """the first day or instant inside"""
    end: Time
    """the first day or instant after"""

    @property
    def window(self) -> Window:
        """Return it as one window."""
        return Window(self.start, self.end)


class Seasonal(Section):
    """Earlier windows at the same point of a cycle."""

    by: Annotated[SeasonName, one_of("a season", SeasonName)]
    """the cycle: hour_of_day, day_of_week or hour_of_week"""
    over: PositiveDuration
    """how far to look back, such as 8w"""


class Baseline(Section):
    """What windows are compared with."""

    period: Period | None = None
    """{start: ..., end: ...}, a period of the inference log"""
    table: Text | None = None
    """a table with the features' columns, such as the training set"""
    rolling: PositiveDuration | None = None
    """the time just before each window, such as 28d"""
    seasonal: Seasonal | None = None
    """{by: hour_of_week, over: 8w}"""

    @model_validator(mode="after")
    def _one_definition(self) -> Baseline:
        if self.rolling is not None and self.seasonal is not None:
            raise refused("has both `rolling` and `seasonal`", "remove one of them")
        if (self.period is None) == (self.table is None):
            edges = ": bins are cut from it" if self.rolling or self.seasonal else ""
            count = "neither `period` nor `table`" if self.period is None else "both `period` and `table`"
            raise refused(f"has {count}", f"write one of them{edges}")
        return self


class Windows(Section):
    """So many of the latest windows."""

    k: int
    """How many must be as stated; at least 1."""
    n: int
    """Of how many, the latest included; at least `k`."""


def _windows(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return Windows(k=value, n=value)
    if isinstance(value, str) and (match := re.fullmatch(r"\s*(\d{1,4})(?:\s+of\s+(\d{1,4}))?\s*", value)):
        k, n = int(match[1]), int(match[2] or match[1])
        if not 1 <= k <= n:
            raise refused("{value} can never be", "write the smaller number first, such as 2 of 3")
        return Windows(k=k, n=n)
    if isinstance(value, Windows):
        return value
    raise refused("{value} is not a number of windows", "write a number such as 2, or `2 of 3`")


class When(Section):
    """Which results call for something."""

    check: Annotated[tuple[Text, ...], BeforeValidator(one_or_more), distinct("check")]
    """the name of a check, or a list of names"""
    status: Annotated[AlertStatusName, one_of("a status to act on", AlertStatusName)] = "alarm"
    """alarm, warning, insufficient_data or error"""
    windows: Annotated[Windows, BeforeValidator(_windows)] = Windows(k=1, n=1)
    """how many windows, such as 2 of 3"""
    metric: Text | None = None
    """the only metric that counts"""
    column: Text | None = None
    """the only column that counts"""


class Escalation(Section):
    """Who else is told when nobody acknowledges an alert."""

    after: PositiveDuration
    """how long an alert may stay unacknowledged, such as 4h"""
    notify: Annotated[tuple[Channel, ...], BeforeValidator(one_or_more), distinct("channel")]
    """a list of channels, such as [boss]"""


class AlertRule(Section):
    """When people are told, and which."""

    name: Text
    """a name that says what happened, such as drift"""
    when: When
    """{check: ..., status: alarm, windows: 2 of 3}"""
    severity: Annotated[SeverityName, one_of("a severity", SeverityName)] = "medium"
    """low, medium, high or critical"""
    notify: tuple[Channel, ...] = ()
    """a list of channels, such as [ops]"""
    cooldown: Duration = timedelta(days=1)
    """how long to keep quiet after telling, such as 1d"""
    group_by: Annotated[
        tuple[Annotated[GroupName, one_of("a part of a result", GroupName)], ...],
        BeforeValidator(one_or_more),
        distinct("group", empty=True),
    ] = ()
    """what gets an alert of its own: check, column, segment; by default one alert stands for all"""
    reset: Annotated[ResetName, one_of("a kind of reset", ResetName)] = "automatic"
    """automatic, or manual: it then stays open until a person resolves it"""
    escalate: Escalation | None = None
    """{after: 4h, notify: [boss]}"""


class Http(Section):
    """A request that starts something elsewhere."""

    connection: Connection
    """the name of the connection with the host and login"""
    endpoint: Text
    """the path to call, such as /job/retrain/buildWithParameters"""
    body: Mapping[str, Any] = Field(default={}, alias="json", repr=False)
    """what to send, as JSON"""
    form: Mapping[str, Any] | None = Field(default=None, repr=False)
    """what to send, as the fields of a form"""

    @field_validator("endpoint")
    @classmethod
    def _is_a_path(cls, endpoint: str) -> str:
        if re.match(r"\w+:/|//", endpoint):
            raise refused("is a whole address", "write its path; the host stands in the connection")
        return endpoint

    @model_validator(mode="after")
    def _has_one_body(self) -> Http:
        if self.body and self.form is not None:
            raise refused("has two bodies", "write `json:` or `form:`")
        return self


class Retraining(Section):
    """When a new model is asked for, and how."""

    when: When
    """{check: ..., status: alarm, windows: 2 of 3}"""
    trigger_dag: DagId | None = None
    """the id of the DAG that trains"""
    http: Http | None = None
    """{connection: ..., endpoint: ..., json: ...}"""
    approval: Annotated[ApprovalName, one_of("a kind of approval", ApprovalName)] = "required"
    """required or none"""
    approval_timeout: PositiveDuration = timedelta(days=3)
    """how long to wait for a person, such as 3d"""
    approval_default: Annotated[VerdictName, one_of("a verdict", VerdictName)] = "reject"
    """what holds when nobody answers in time: approve or reject"""
    cooldown: Duration = timedelta(days=7)
    """how long to wait before asking again, such as 7d"""
    minimum_labels: Count = 500
    """how many labels there must be since the change, where the monitor has labels"""

    @model_validator(mode="after")
    def _asks_somebody(self) -> Retraining:
        if self.trigger_dag is None and self.http is None:
            raise refused("asks nobody", "write `trigger_dag:`, `http:` or both")
        return self

    @property
    def rule(self) -> AlertRule:
        """The alert that is open while a new model is called for. It is recorded like any other and told to nobody."""
        return AlertRule(name=RETRAINING, when=self.when, severity="high", cooldown=self.cooldown)


class Monitor(Section):
    """One model's endpoint and how it is watched: one file.

    Made by `load_monitor`, which also checks what the keys say about each other.
    """

    name: Annotated[
        Text,
        pattern(r"[a-z0-9-]{1,100}", "a monitor's name", "write lower-case letters, digits and hyphens, at most 100"),
    ] = Field(alias="monitor")
    """a name of lower-case letters, digits and hyphens, such as flight-delays"""
    description: str = ""
    """a sentence about the model"""
    owner: str = ""
    """who answers for the model"""
    timezone: Text = "UTC"
    """the zone in which days begin, such as Europe/Berlin"""
    schedule: Schedule
    """a cron expression, @daily, or a duration such as 10m: the length of a window"""
    start: Time
    """the start of the first window, such as 2013-04-01"""
    delay: Duration = timedelta()
    """how long to wait after a window's end before reading it, such as 15m"""
    warehouse: Annotated[Text, reference("a warehouse", "MONITORING_WAREHOUSE")]
    """an Airflow connection id, or a name set by MONITORING_WAREHOUSE_<NAME>"""
    inference_log: InferenceLog
    """the inferences: table, timestamp, key, features, and what else their columns mean"""
    labels: Labels | None = None
    """the labels: table, key, value, timestamp, complete_after"""
    task: Annotated[TaskName, one_of("a task", TaskName)] | None = None
    """binary_classification, multiclass_classification or regression"""
    baseline: Baseline
    """what windows are compared with, such as period: {start: ..., end: ...}"""
    segments: Annotated[tuple[Column, ...], distinct("column", empty=True)] = ()
    """a list of columns, such as [origin]"""
    checks: Checks = Checks()
    """settings for each check, or off; every check is on by default"""
    alerts: tuple[AlertRule, ...] = ()
    """a list of alerts"""
    retraining: Retraining | None = None
    """when to ask for a new model, and whom"""

    _document: Document = PrivateAttr(default=Document(file=""))

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        read_schedule("@daily", value)
        return value

    @field_validator("schedule", mode="before")
    @classmethod
    def _schedule_in_zone(cls, value: object, info: ValidationInfo) -> Schedule:
        return read_schedule(value, info.data.get("timezone", "UTC"))

    @field_validator("start")
    @classmethod
    def _start_in_utc(cls, value: datetime, info: ValidationInfo) -> datetime:
        return in_utc(value, info.data.get("timezone", "UTC"))

    @field_validator("baseline")
    @classmethod
    def _period_in_utc(cls, value: Baseline, info: ValidationInfo) -> Baseline:
        if value.period is None:
            return value
        timezone = info.data.get("timezone", "UTC")
        start, end = in_utc(value.period.start, timezone), in_utc(value.period.end, timezone)
        return value.model_copy(update={"period": Period(start=start, end=end)})

    @field_validator("*")
    @classmethod
    def _found(cls, value: object, info: ValidationInfo) -> object:
        """Hand each valid part to the reader, so that parts can be held together though others are broken."""
        if info.context is not None:
            info.context.found[info.field_name] = value
        return value

    def model_post_init(self, context: Any) -> None:
        """Keep the places of the keys, for problems that only the warehouse shows."""
        if context is not None:
            self._document = context.document

    @property
    def path(self) -> Path:
        """The file the monitor was read from."""
        return Path(self._document.file)

    @property
    def document(self) -> Document:
        """The file's keys with their lines."""
        return self._document

    @property
    def dag_id(self) -> str:
        """The id of the monitor's DAG."""
        return f"monitor.{self.name}"

    @property
    def alert_rules(self) -> tuple[AlertRule, ...]:
        """The alerts of the file, and last the one that `retraining` stands on."""
        return (*self.alerts, *([] if self.retraining is None else [self.retraining.rule]))

    @property
    def baseline_is_past(self) -> bool:
        """Whether windows are compared with earlier windows rather than with something fixed."""
        return self.baseline.rolling is not None or self.baseline.seasonal is not None

    @property
    def band_over(self) -> timedelta | None:
        """The longest time before a window that a band is taken over; None of a file without bands."""
        checks = (self.checks.data_drift, self.checks.prediction_drift)
        return max((band.over for check in checks if check for band in check.band.values()), default=None)

    @property
    def config_hash(self) -> str:
        """16 hex digits that change with whatever can change a number, and with nothing else.

        What is told to whom (`description`, `owner`, `alerts`, `retraining`) and when a window is read (`delay`) do not
        count, nor does how something is written: ``1d`` or ``24h``. A value from the environment counts as ``${NAME}``.
        Of the suite of `data_quality` its content counts, without notes.
        """
        content = self.model_dump(mode="json", by_alias=True, exclude=_TELLS)
        content = _as_written(content, self._document.raw, (), self._document)
        suite = None if self.checks.data_quality is None else self.checks.data_quality.suite
        if suite is not None:
            content["suite"] = suite_digest(self.path.parent / suite)
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(canonical.encode("utf-8", "backslashreplace")).hexdigest()[:16]

    def check(self, name: str) -> Settings | None:
        """Return a check's settings, None when it is off.

        Raises
        ------
        ConfigError
            If there is no check of this name.
        """
        return self.checks.settings(name)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Show the name and file only: values may come from the environment, and logs keep what they show."""
        yield "name", self.name
        yield "path", str(self.path)


_TELLS = {"description", "owner", "alerts", "retraining", "delay"}


def _as_written(value: Any, raw: Any, path: KeyPath, document: Document) -> Any:
    """Return the value with whatever came from the environment as it was written."""
    place = document.places.get(path)
    if place is None or not place.substituted:
        return value
    if isinstance(value, dict) and isinstance(raw, dict) and raw.keys() <= (value.keys() | _TELLS):
        written = {key: _as_written(value[key], raw[key], (*path, key), document) for key in raw if key in value}
        return value | written
    return raw
