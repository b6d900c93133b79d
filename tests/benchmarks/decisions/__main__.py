"""How often the drift check is wrong, and what it finds: beside Evidently and NannyML, on the same data.

Run it by ``make benchmark-decisions``: a quarter of an hour on two cores. Everything is seeded. Exit code 1 if a
promise is broken.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any, get_args

from tests.benchmarks.decisions import false_alarms, power, report, rules
from tests.benchmarks.decisions.packages import REQUIREMENTS, verify
from tests.benchmarks.decisions.streams import Dependence

FOLDER = Path(".benchmark")
QUICK = 0.1
"""Share of the windows of a quick run."""

PARTS = ("false_alarms", "rules", "power")


def main(arguments: Sequence[str]) -> int:
    """Measure, print the tables, write all numbers as JSON."""
    parser = ArgumentParser(prog="make benchmark-decisions", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the windows, for trying")
    parser.add_argument("--markdown", action="store_true", help="print the tables of the README")
    parser.add_argument(
        "--only", choices=PARTS, action="append", help="a part: false_alarms, rules (the others') or power"
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=20240301)
    options = parser.parse_args(arguments)
    began = perf_counter()
    FOLDER.mkdir(exist_ok=True)
    parts = options.only or PARTS
    share = QUICK if options.quick else 1.0
    if set(parts) != {"false_alarms"}:
        compared = verify(FOLDER, options.seed)
        names = " and ".join(requirements[0] for requirements in REQUIREMENTS.values())
        _say(f"{names}: scores and default decisions in numpy equal the packages' on {compared} windows (to 1e-9)")
    found = _measured(parts, share, options.seed, options.processes)
    (FOLDER / "decisions.json").write_text(json.dumps(_as_json(found), indent=1))
    tables = _tables(found, options.markdown)
    for table in tables:
        print(f"\n{table.markdown() if options.markdown else table.text()}")
    print(f"\n{report.LEGEND}")
    verdicts = [one.any_size_verdict for one in found["false_alarms"]]
    verdicts += [one.default_verdict for one in found["false_alarms"]]
    verdicts += [one.verdict for one in found["power"]]
    _say(
        f"{verdicts.count('!')} broken and {verdicts.count('?')} in doubt of {len(verdicts)}; "
        f"{perf_counter() - began:.0f} s"
    )
    return int("!" in verdicts)


def _measured(parts: Sequence[str], share: float, seed: int, processes: int) -> dict[str, list[Any]]:
    """Measure every cell of these parts, the longest first."""
    tasks: list[tuple[float, str, int, Callable[..., Any], tuple[Any, ...]]] = []
    if "false_alarms" in parts:
        tasks += [
            (false_alarms.cost(cell), "false_alarms", i, false_alarms.measure, (cell,))
            for i, cell in enumerate(false_alarms.cells())
        ]
    if "rules" in parts:
        tasks += [(rules.cost(cell), "rules", i, rules.measure, (cell,)) for i, cell in enumerate(rules.cells())]
    if "power" in parts:
        tasks += [(power.cost(*task), "power", i, power.measure, task) for i, task in enumerate(power.tasks())]
    tasks.sort(key=lambda task: -task[0])
    results: dict[tuple[str, int], Any] = {}
    began = perf_counter()
    with ProcessPoolExecutor(processes) as pool:
        futures = {pool.submit(run, *of, share, seed): (part, i) for _, part, i, run, of in tasks}
        for future in as_completed(futures):
            results[futures[future]] = future.result()
            _show(len(results), len(tasks), perf_counter() - began)
    found: dict[str, list[Any]] = {part: [] for part in PARTS}
    for part, i in sorted(results):
        one = results[part, i]
        found[part] += one if isinstance(one, list) else [one]
    return found


def _tables(found: dict[str, list[Any]], markdown: bool) -> list[report.Table]:
    tables = []
    if found["false_alarms"] and markdown:
        tables.append(report.summary_table(found["false_alarms"]))
    elif found["false_alarms"]:
        for dependence in get_args(Dependence):
            tables += [
                report.false_alarm_table(found["false_alarms"], dependence, default) for default in (False, True)
            ]
    if found["rules"]:
        tables.append(report.rule_table(found["rules"], short=markdown))
    if found["power"]:
        tables.append(report.power_table(found["power"], short=markdown))
    return tables


def _as_json(found: dict[str, list[Any]]) -> dict[str, Any]:
    return {part: [asdict(one) for one in several] for part, several in found.items()}


def _show(done: int, total: int, seconds: float) -> None:
    """Say how far it is: on a terminal in place, elsewhere ten lines."""
    line = f"{done} of {total} cells, {seconds:.0f} s"
    if sys.stderr.isatty():
        print(f"\r{line}", end="" if done < total else "\n", file=sys.stderr, flush=True)
    elif done * 10 // total > (done - 1) * 10 // total:
        print(line, file=sys.stderr, flush=True)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
