"""What NannyML itself says of some windows. Run by its own environment's interpreter: nothing of ours in here."""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from nannyml import UnivariateDriftCalculator


def answer(kind: str, reference: np.ndarray, windows: np.ndarray) -> dict[str, list[float]]:
    """Return the score of each window of one column, and whether it is an alert; a chunk is as long as a window."""
    categorical = kind == "categorical"

    def frame(values: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame({"x": [f"c{int(value)}" for value in values] if categorical else values})

    calculator = UnivariateDriftCalculator(
        column_names=["x"], treat_as_categorical=["x"] if categorical else [], chunk_size=windows.shape[1]
    )
    calculator.fit(frame(reference))
    results = calculator.calculate(frame(windows.ravel())).filter(period="analysis").to_df()["x"]["jensen_shannon"]
    return {"scores": results["value"].tolist(), "alarms": results["alert"].tolist()}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    cases = np.load(sys.argv[1])
    names = sorted({key.partition("/")[0] for key in cases.files})
    found = {name: answer(name.split()[0], cases[f"{name}/reference"], cases[f"{name}/windows"]) for name in names}
    Path(sys.argv[2]).write_text(json.dumps(found))
