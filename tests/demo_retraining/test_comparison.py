import numpy as np
import pandas as pd
import pytest

from monitoring_tasks.demo_retraining.comparison import compare


def flights(days=28, per_day=60, seed=1):
    rng = np.random.default_rng(seed)
    rows = days * per_day
    risk = rng.uniform(0.05, 0.6, rows)
    return pd.DataFrame(
        {
            "day": pd.Timestamp("2013-06-24") + pd.to_timedelta(np.repeat(np.arange(days), per_day), unit="D"),
            "origin": np.tile(["EWR", "JFK", "LGA"], rows // 3),
            "delayed": (rng.random(rows) < risk).astype(int),
            "risk": risk,
            "probability": 0.3,
        }
    )


def test_a_better_model_is_accepted_with_its_numbers():
    held_back = flights()
    found = compare(held_back, held_back["risk"].to_numpy())
    delayed = held_back["delayed"]
    assert found.old_brier == pytest.approx(((0.3 - delayed) ** 2).mean())
    assert found.improvement == pytest.approx(found.old_brier - found.new_brier)
    assert found.segments["JFK"] == pytest.approx(
        ((0.3 - delayed) ** 2 - (held_back["risk"] - delayed) ** 2)[held_back["origin"] == "JFK"].mean()
    )
    assert 0 < found.lower < found.improvement < found.upper
    assert found.old_roc_auc == 0.5 < found.new_roc_auc
    assert found.decision == "accepted"
    assert found.reason.startswith("better: its Brier score is ")
    assert "of 28 days" in found.reason


def test_the_same_model_is_not_better():
    held_back = flights()
    found = compare(held_back, held_back["probability"].to_numpy())
    assert (found.improvement, found.lower, found.upper) == (0, 0, 0)
    assert found.decision == "refused"
    assert found.reason.startswith("not better for sure: ")


def test_a_model_that_is_worse_at_one_airport_is_refused():
    held_back = flights()
    new = held_back["risk"].where(held_back["origin"] != "LGA", 1 - held_back["risk"]).to_numpy()
    new = np.where(held_back["origin"] == "LGA", 0.6 * held_back["probability"] + 0.4 * new, held_back["delayed"])
    found = compare(held_back, new)
    assert found.lower > 0
    assert found.segments["LGA"] < -0.005
    assert found.decision == "refused"
    assert found.reason.startswith("worse for origin=LGA: there its Brier score is ")


def test_few_days_have_no_interval_and_accept_nothing():
    held_back = flights(days=9)
    found = compare(held_back, held_back["risk"].to_numpy())
    assert found.decision == "refused"
    assert "too few days for an interval" in found.reason


def test_flights_without_an_answer_count_for_neither():
    held_back = flights()
    answered = compare(held_back, held_back["risk"].to_numpy())
    more = pd.concat([held_back, held_back.iloc[:100].assign(probability=np.nan)])
    assert compare(more, more["risk"].to_numpy()) == answered
