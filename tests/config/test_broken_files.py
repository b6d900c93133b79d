"""Each broken file's complete error text: `cases/NAME.yaml` must give `cases/NAME.txt`.

After a change of wording, ``OVERWRITE=1 pytest tests/config/test_broken_files.py`` writes the texts anew, for review.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from monitoring_tasks.config import MonitorFileError, load_monitor

CASES = Path(__file__).parent / "cases"
GOOD = {"complete", "minimal"}
BROKEN = sorted(path.stem for path in CASES.glob("*.yaml") if path.stem not in GOOD)

ENVIRONMENT = {
    "SCHEDULE": "every-hunter2",
    "START": "hunter2-01-01",
    "WAREHOUSE": "postgresql://monitor:hunter2@db/flights",
    "COLUMN": "hunter2",
    "KIND": "hunter2ic",
    "END": "2013-05-01T00:00:22",
    "METRIC": "psi-hunter2",
    "RATE": "0.hunter2",
}


@pytest.mark.parametrize("name", BROKEN)
def test_error_text_is_complete(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES)
    with pytest.raises(MonitorFileError) as caught:
        load_monitor(f"{name}.yaml", ENVIRONMENT if name == "environment_does_not_fit" else {})
    golden = CASES / f"{name}.txt"
    if os.environ.get("OVERWRITE"):
        golden.write_text(f"{caught.value}\n")
    assert f"{caught.value}\n" == golden.read_text()
    assert "hunter2" not in str(caught.value) + repr(caught.value.problems)


def test_every_expected_text_has_its_file() -> None:
    assert sorted(path.stem for path in CASES.glob("*.txt")) == BROKEN
