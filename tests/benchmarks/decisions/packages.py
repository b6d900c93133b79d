"""Evidently and NannyML in environments of their own, and the proof that their scores in numpy are theirs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import ks_2samp

from tests.benchmarks.decisions.scores import SMALL, Rule, evidently, nannyml, prepared
from tests.benchmarks.decisions.streams import FloatArray, Kind, Shift, rows

REQUIREMENTS: Mapping[str, tuple[str, ...]] = {
    "evidently": ("evidently==0.7.23", "numpy==2.4.6", "pandas==2.3.3", "scipy==1.17.1"),
    "nannyml": ("nannyml==0.13.1", "numpy==2.4.6", "pandas==2.3.3", "scipy==1.17.1", "statsmodels==0.15.0"),
}
"""The newest releases of both on Python 3.11; neither can be imported beside pandas 3, which they do not exclude.

NannyML imports statsmodels without requiring it.
"""

SILENT = {"DO_NOT_TRACK": "1", "NML_DISABLE_USAGE_LOGGING": "1"}
"""Both report their use over the network unless told not to."""

CLOSE = 1e-9
LENGTH = 200
WINDOWS = 8
"""Of each case."""


def verify(folder: Path, seed: int) -> int:
    """Compare scores and default decisions with the packages', and return the number of comparisons.

    Raises
    ------
    AssertionError
        If a score differs by more than 1e-9 or a decision at all.
    """
    rng = np.random.default_rng([seed, 1])
    kinds: tuple[Kind, ...] = ("numeric", "missing", "discrete", "categorical")
    compared = 0
    for package, references in (("evidently", (3_000, SMALL)), ("nannyml", (3_000,))):
        cases = {f"{kind} {size}": _case(kind, size, rng) for kind in kinds for size in references}
        found = _ask(package, folder, cases)
        for name, (reference, windows) in cases.items():
            kind = kinds[[name.startswith(kind) for kind in kinds].index(True)]
            rule = evidently(kind, reference) if package == "evidently" else _nannyml(kind, reference)
            ours = [rule.score(window) for window in prepared(kind, windows)]
            theirs = np.array(found[name]["scores"])
            if package == "evidently" and reference.size <= SMALL:  # they state p-values
                theirs = -theirs if kind == "categorical" else _statistics(kind, reference, windows, theirs)
            difference = float(np.abs(np.array(ours) - theirs).max())
            assert difference <= CLOSE, f"{package}, {name}: scores differ by {difference}"
            alarms = [rule.alarms(window) for window in prepared(kind, windows)]
            assert alarms == found[name]["alarms"], f"{package}, {name}: {alarms} and {found[name]['alarms']}"
            compared += len(ours)
    return compared


def environment(package: str, folder: Path) -> Path:
    """Make the package's environment where it does not stand yet, and return its interpreter."""
    home, wanted = folder / package, "\n".join(REQUIREMENTS[package])
    python, done = home / "bin" / "python", home / "requirements.txt"
    if done.exists() and done.read_text() == wanted:
        return python
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, home], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *REQUIREMENTS[package]], check=True)
    done.write_text(wanted)
    return python


def _ask(
    package: str, folder: Path, cases: Mapping[str, tuple[FloatArray, FloatArray]]
) -> dict[str, dict[str, list[Any]]]:
    python = environment(package, folder).absolute()
    question, answer = folder / f"{package}.npz", folder / f"{package}.json"
    arrays = {
        f"{name}/{part}": pair[i] for name, pair in cases.items() for i, part in enumerate(("reference", "windows"))
    }
    np.savez(question, allow_pickle=False, **arrays)
    worker = Path(__file__).with_name(f"{package}_worker.py")
    process = subprocess.run(
        [python, worker, question.absolute(), answer.absolute()],
        cwd=folder,
        env=os.environ | SILENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, f"{package} failed:\n{process.stderr[-2000:]}"
    found: dict[str, dict[str, list[Any]]] = json.loads(answer.read_text())
    return found


def _case(kind: Kind, size: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return a reference and windows, half of which have moved a little."""
    moved = Shift("numeric", mean=0.3, missing=0.05, category=0.12)
    reference = rows(kind, "independent", (1, size), rng)[0]
    still, drifted = (rows(kind, "independent", (WINDOWS // 2, LENGTH), rng, shift) for shift in (None, moved))
    return reference, np.concatenate((still, drifted))


def _nannyml(kind: Kind, reference: FloatArray) -> Rule:
    return nannyml(kind, reference, reference.size // LENGTH)


def _statistics(kind: Kind, reference: FloatArray, windows: FloatArray, p_values: FloatArray) -> FloatArray:
    """Return the statistics that belong to their p-values of Kolmogorov and Smirnov."""
    (of,) = prepared(kind, reference.reshape(1, -1))
    tests = [ks_2samp(of, window) for window in prepared(kind, windows)]
    difference = float(np.abs(np.array([test.pvalue for test in tests]) - p_values).max())
    assert difference <= CLOSE, f"evidently, {kind}: p-values differ by {difference}"
    return np.array([test.statistic for test in tests])
