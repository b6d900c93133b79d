"""Draw README's picture of Airflow: the demo's monitor after a backfill of twelve days, made as a person makes it.

In a fresh clone, ``make airflow`` says an address and a password. With these, in another terminal:
``PYTHONPATH=. .venv/bin/python .github/pictures/airflow.py ADDRESS PASSWORD`` writes ``airflow.png`` beside this file.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.end_to_end import browser

DAG = "monitor.flight-delays"
FIRST, LAST, RUNS = "2013/07/01", "2013/07/12", 12
TRIES = 120
"""At five seconds each: the page does not follow the asset's events by itself."""


def main(url: str, password: str) -> None:
    """Unpause the DAG, backfill it, wait, and take the picture."""
    executable = browser.program()
    if executable is None:
        raise SystemExit(f"no Chromium here: none of {', '.join(browser.NAMES)} is on the path")
    with browser.opened(executable) as page:
        browser.log_in(page, url, password)
        page.goto(f"{url}/dags/{DAG}")
        page.get_by_test_id("toggle-pause").click()
        form = browser.trigger_form(page, url, DAG)
        form.get_by_text("Run this Dag for a range of dates").click()
        for place, date in enumerate((FIRST, LAST)):
            browser.pick(form.get_by_test_id("datetime-input").nth(place), date, "04:00")
        form.get_by_text(f"{RUNS} runs will be triggered.").wait_for()
        browser.submit(form, "Run Backfill", "/backfills")
        page.set_viewport_size({"width": 1280, "height": 720})
        page.goto(f"{url}/dags/{DAG}")
        # Each run tells the asset; the latest day's began when the DAG was unpaused.
        all_runs = page.get_by_text(f"{RUNS + 1} Asset Events")
        for _ in range(TRIES):
            page.reload()
            page.wait_for_timeout(5_000)
            if all_runs.is_visible():
                break
        all_runs.wait_for()
        page.goto(f"{url}/dags/{DAG}/runs")
        page.get_by_text(f"{RUNS + 1} Dag Runs").wait_for()
        page.mouse.move(315, 600)  # what parts the grid from the rest
        page.mouse.down()
        page.mouse.move(520, 600, steps=10)
        page.mouse.up()
        page.mouse.move(1270, 630)
        page.wait_for_timeout(2_000)
        page.screenshot(path=Path(__file__).with_name("airflow.png"))


if __name__ == "__main__":
    main(*sys.argv[1:])
