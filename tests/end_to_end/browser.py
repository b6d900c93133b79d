"""Airflow's pages in Chromium, as far as the tests use them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Locator, Page, TimeoutError, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--no-sandbox",  # Chromium refuses to be root's otherwise, and what it opens is ours
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PATIENCE = 60_000
"""Milliseconds that a page may take on a busy machine."""


def program() -> str | None:
    """Return the path of the installed Chromium."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def opened(executable: str) -> Iterator[Page]:
    """Open a page in a new Chromium that knows nobody yet."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=OPTIONS)
        page = chromium.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(PATIENCE)
        yield page
        chromium.close()


def log_in(page: Page, url: str, password: str) -> None:
    page.goto(url)
    page.get_by_label("Username").fill("admin")
    page.locator("input[type=password]").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Welcome").wait_for()


def trigger_form(page: Page, url: str, dag: str) -> Locator:
    """Open the form behind a DAG's button *Trigger*."""
    page.goto(f"{url}/dags/{dag}")
    page.get_by_role("button", name="Trigger").first.click()
    form = page.get_by_role("dialog").filter(has_text="Single Run")
    form.wait_for()
    return form


def parameter(form: Locator, title: str) -> Locator:
    """Return a run parameter: its title, its input and its description."""
    return form.get_by_role("group").filter(has=form.page.locator("label", has_text=title))


def pick(place: Locator, date: str, time: str) -> None:
    """Fill in the calendar of an input, or of the one input inside."""
    page = place.page
    place.locator("p", has_text="Select date and time").click()
    page.get_by_placeholder("YYYY/MM/DD").fill(date)
    page.get_by_placeholder("HH:mm").fill(time)
    page.keyboard.press("Escape")
    page.get_by_placeholder("HH:mm").wait_for(state="hidden")


def submit(form: Locator, button: str, path: str) -> Any:
    """Press the form's button and return what the server answered to the request at `path`.

    As a person would, press again where a press is lost (it can meet a calendar that is still closing) and where the
    server says that it is busy, as Airflow's does when its SQLite file is locked for too long.
    """
    answers = []
    for _ in range(4):
        try:
            with form.page.expect_request(
                lambda request: request.method == "POST" and request.url.endswith(path), timeout=PATIENCE / 4
            ) as caught:
                form.get_by_role("button", name=button, exact=True).click()
        except TimeoutError:
            answers.append("no request was sent")
            continue
        response = caught.value.response()
        if response.ok:
            return response.json()
        answers.append(f"{response.status} {response.text()}")
        if response.status < 500:
            break
    raise AssertionError(f"{button!r} was pressed {len(answers)} times: {answers}")
