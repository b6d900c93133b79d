"""The tables of the first release."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def key(name: str, kind: Any = sa.Text) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def window() -> tuple[sa.Column[Any], ...]:
    return key("monitor"), key("window_start", INSTANT), key("window_end", INSTANT)


def upgrade() -> None:
    op.create_table(
        "baseline",
        key("baseline_id"),
        key("monitor"),
        key("definition", sa.JSON),
        key("definition_hash"),
        key("bins", sa.JSON),
        key("profile", sa.JSON),
        key("rows", sa.BigInteger),
        sa.PrimaryKeyConstraint("baseline_id", name="baseline_key"),
        sa.UniqueConstraint("monitor", "definition_hash", name="baseline_monitor_definition_hash_unique"),
    )
    op.create_table(
        "baseline_bin",
        key("baseline_id"),
        key("segment"),
        key("column_name"),
        key("bin_index", sa.Integer),
        key("label"),
        key("rows", sa.BigInteger),
        sa.Column("share", sa.Double),
        sa.PrimaryKeyConstraint("baseline_id", "segment", "column_name", "bin_index", name="baseline_bin_key"),
        sa.ForeignKeyConstraint(["baseline_id"], ["baseline.baseline_id"], name="baseline_bin_baseline_id_reference"),
    )
    op.create_table(
        "profile",
        *window(),
        key("segment"),
        key("column_name"),
        sa.Column("kind", sa.Text),
        sa.Column("rows", sa.BigInteger),
        sa.Column("nulls", sa.BigInteger),
        sa.Column("minimum", sa.Double),
        sa.Column("maximum", sa.Double),
        sa.Column("total", sa.Double),
        sa.Column("total_squares", sa.Double),
        sa.Column("counts", sa.JSON),
        sa.Column("unreadable", sa.Text),
        key("position", sa.Integer),
        key("baseline_id"),
        sa.PrimaryKeyConstraint("monitor", "window_start", "window_end", "segment", "column_name", name="profile_key"),
        sa.ForeignKeyConstraint(["baseline_id"], ["baseline.baseline_id"], name="profile_baseline_id_reference"),
    )
    op.create_table(
        "result",
        *window(),
        key("check_name"),
        key("metric"),
        key("column_name"),
        key("segment"),
        sa.Column("value", sa.Double),
        sa.Column("value_lower", sa.Double),
        sa.Column("value_upper", sa.Double),
        sa.Column("p_value", sa.Double),
        sa.Column("threshold_lower", sa.Double),
        sa.Column("threshold_upper", sa.Double),
        sa.Column("baseline_rows", sa.BigInteger),
        sa.Column("window_rows", sa.BigInteger),
        key("status"),
        key("message"),
        key("detail", sa.JSON),
        sa.PrimaryKeyConstraint(
            "monitor", "window_start", "window_end", "check_name", "metric", "column_name", "segment", name="result_key"
        ),
    )
    op.create_index("result_history", "result", ["monitor", "metric", "column_name", "window_start"])
    op.create_table(
        "check_run",
        *window(),
        key("check_name"),
        key("state"),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("monitor", "window_start", "window_end", "check_name", name="check_run_key"),
    )
    op.create_table(
        "window_run",
        *window(),
        key("state"),
        sa.Column("rows", sa.BigInteger),
        sa.Column("label_rows", sa.BigInteger),
        sa.Column("label_coverage", sa.Double),
        sa.Column("labels", sa.Text),
        sa.Column("baseline_id", sa.Text),
        key("config_hash"),
        sa.Column("seconds", sa.Double),
        key("computed_at", INSTANT),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("monitor", "window_start", "window_end", name="window_run_key"),
        sa.ForeignKeyConstraint(["baseline_id"], ["baseline.baseline_id"], name="window_run_baseline_id_reference"),
    )
    create_alert_tables()


def create_alert_tables() -> None:
    op.create_table(
        "alert",
        key("alert_id"),
        key("monitor"),
        key("name"),
        key("group_key"),
        key("severity"),
        key("state"),
        key("window_start", INSTANT),
        key("window_end", INSTANT),
        key("last_window_start", INSTANT),
        key("last_window_end", INSTANT),
        sa.Column("resolved_window_end", INSTANT),
        sa.Column("snoozed_until", INSTANT),
        key("columns", sa.JSON),
        key("message"),
        sa.PrimaryKeyConstraint("alert_id", name="alert_key"),
        sa.UniqueConstraint(
            "monitor",
            "name",
            "group_key",
            "window_start",
            "window_end",
            name="alert_monitor_name_group_key_window_start_window_end_unique",
        ),
    )
    op.create_index("alert_state", "alert", ["monitor", "state"])
    op.create_table(
        "alert_event",
        key("event_id"),
        key("alert_id"),
        key("sequence", sa.Integer),
        key("event"),
        sa.Column("window_start", INSTANT),
        sa.Column("window_end", INSTANT),
        key("actor"),
        key("note"),
        key("evidence", sa.JSON),
        key("tell", sa.Boolean),
        key("recorded_at", INSTANT),
        sa.PrimaryKeyConstraint("event_id", name="alert_event_key"),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.alert_id"], name="alert_event_alert_id_reference"),
        sa.UniqueConstraint("alert_id", "sequence", name="alert_event_alert_id_sequence_unique"),
    )
    op.create_table(
        "delivery",
        key("delivery_id"),
        key("event_id"),
        key("channel"),
        key("state"),
        key("attempts", sa.Integer),
        key("message", sa.JSON),
        key("created_at", INSTANT),
        sa.Column("next_attempt_at", INSTANT),
        sa.Column("sent_at", INSTANT),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("delivery_id", name="delivery_key"),
        sa.ForeignKeyConstraint(["event_id"], ["alert_event.event_id"], name="delivery_event_id_reference"),
        sa.UniqueConstraint("event_id", "channel", name="delivery_event_id_channel_unique"),
    )
    op.create_index("delivery_waiting", "delivery", ["state", "next_attempt_at"])
    op.create_table(
        "action",
        key("action_id"),
        key("monitor"),
        sa.Column("alert_id", sa.Text),
        key("kind"),
        key("target"),
        key("window_start", INSTANT),
        key("window_end", INSTANT),
        key("decision"),
        key("reason"),
        key("evidence", sa.JSON),
        key("approval"),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_at", INSTANT),
        key("note"),
        key("state"),
        sa.Column("run_id", sa.Text),
        sa.Column("error", sa.Text),
        key("recorded_at", INSTANT),
        sa.PrimaryKeyConstraint("action_id", name="action_key"),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.alert_id"], name="action_alert_id_reference"),
        sa.UniqueConstraint(
            "monitor",
            "kind",
            "target",
            "window_start",
            "window_end",
            name="action_monitor_kind_target_window_start_window_end_unique",
        ),
    )
