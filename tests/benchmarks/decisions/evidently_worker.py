"""What Evidently itself says of some windows. Run by its own environment's interpreter: nothing of ours in here."""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset


def answer(kind: str, reference: np.ndarray, windows: np.ndarray) -> dict[str, list[float]]:
    """Return the score of each window of one column, and whether the preset calls it drifted."""
    categorical = kind == "categorical"
    definition = DataDefinition(
        numerical_columns=[] if categorical else ["x"], categorical_columns=["x"] if categorical else []
    )

    def dataset(values: np.ndarray) -> Dataset:
        column = [f"c{int(value)}" for value in values] if categorical else values
        return Dataset.from_pandas(pd.DataFrame({"x": column}), data_definition=definition)

    scores, alarms, before = [], [], dataset(reference)
    for window in windows:
        metrics = Report([DataDriftPreset()]).run(dataset(window), before).dict()["metrics"]
        by_type = {metric["config"]["type"].rpartition(":")[2]: metric["value"] for metric in metrics}
        scores.append(float(by_type["ValueDrift"]))
        alarms.append(by_type["DriftedColumnsCount"]["count"] > 0)
    return {"scores": scores, "alarms": alarms}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    cases = np.load(sys.argv[1])
    names = sorted({key.partition("/")[0] for key in cases.files})
    found = {name: answer(name.split()[0], cases[f"{name}/reference"], cases[f"{name}/windows"]) for name in names}
    Path(sys.argv[2]).write_text(json.dumps(found))
