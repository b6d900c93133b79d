"""Airflow's REST API, as far as a program on the same machine needs it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

TIMEOUT = 60.0
"""Seconds for one answer: longer than one of Airflow's processes waits for another one's lock on SQLite."""


@dataclass(frozen=True)
class RestApi:
    """A server that has let us in."""

    url: str
    token: str

    @classmethod
    def log_in(cls, url: str, user: str, password: str) -> RestApi:
        """Ask for a token."""
        body = json.dumps({"username": user, "password": password}).encode()
        with urlopen(
            Request(f"{url}/auth/token", body, {"Content-Type": "application/json"}), timeout=TIMEOUT
        ) as answer:
            return cls(url, json.load(answer)["access_token"])

    def call(self, path: str, body: Mapping[str, Any] | None = None, method: str | None = None) -> Any:
        """Return what the server answers; asked again while it says that it is busy, which on SQLite it may be."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}/api/v2{path}", data=data, headers=headers, method=method)
        for last in (False, False, True):
            try:
                with urlopen(request, timeout=TIMEOUT) as answer:
                    return json.load(answer)
            except HTTPError as error:
                reason = error.read().decode(errors="replace")
                if last or not (error.code == 503 or "locked" in reason or "Database error" in reason):
                    raise URLError(f"{request.method or 'GET'} {path} was answered {error.code}: {reason}") from error
        raise AssertionError("the last try returns or raises")

    def dags(self) -> list[str]:
        """Return the ids of all DAGs that were found."""
        return [dag["dag_id"] for dag in self.call("/dags?exclude_stale=true&limit=100")["dags"]]

    def unpause(self, dag: str) -> None:
        """Let a DAG's runs begin."""
        self.call(f"/dags/{dag}", {"is_paused": False}, "PATCH")

    def trigger(self, dag: str, **conf: Any) -> str:
        """Start a run by hand; return its id."""
        return str(self.call(f"/dags/{dag}/dagRuns", {"logical_date": None, "conf": conf})["dag_run_id"])

    def runs(self, dag: str) -> dict[str, str]:
        """Return the states of a DAG's runs by their ids."""
        return {run["dag_run_id"]: run["state"] for run in self.call(f"/dags/{dag}/dagRuns?limit=100")["dag_runs"]}

    def tasks(self, dag: str, run: str) -> dict[str, str]:
        """Return the states of a run's tasks by their ids."""
        found = self.call(f"/dags/{dag}/dagRuns/{quote(run)}/taskInstances?limit=100")["task_instances"]
        return {task["task_id"]: task["state"] for task in found}

    def questions(self, dag: str, run: str) -> list[dict[str, Any]]:
        """Return what a run asks people and nobody has answered yet."""
        path = f"/dags/{dag}/dagRuns/{quote(run)}/hitlDetails?response_received=false"
        found: list[dict[str, Any]] = self.call(path)["hitl_details"]
        return found

    def answer(self, dag: str, run: str, task: str, choice: str, form: Mapping[str, Any]) -> str:
        """Answer a question of a task, with every field of its form; return as whom."""
        path = f"/dags/{dag}/dagRuns/{quote(run)}/taskInstances/{task}/-1/hitlDetails"
        answered = self.call(path, {"chosen_options": [choice], "params_input": form}, "PATCH")
        return str(answered["responded_by"]["name"])
