"""Users in chaos: they submit, cancel, try again and download, and ask until they are answered.

What was answered is kept: that is what the service must hold itself to.
"""

from __future__ import annotations

import hashlib
import random
import threading
import time
from typing import Any

import httpx
from tiny_job import tiny_job

SUCCEEDED, FAILED, CANCELLING, CANCELLED = "SUCCEEDED", "FAILED", "CANCELLING", "CANCELLED"
OVER = (SUCCEEDED, FAILED, CANCELLED)


def chaos_job(variant: int) -> dict[str, Any]:
    """One of some jobs of three segments of eight frames."""
    base = {"duration": 0.4, "frame_rate": 20.0, "trajectory": {"kind": "orbital"}}
    return tiny_job(
        name=f"chaos-{variant}",
        segments=[{"segment_id": 3 * variant + i, "name": f"part-{i}", **base} for i in range(3)],
    )


class Users(threading.Thread):
    """Several users in one thread."""

    def __init__(
        self, url: str, *, seed: int, jobs: int, variants: int, expected: dict[str, dict[str, str]]
    ) -> None:
        super().__init__(daemon=True)
        self.acknowledged: dict[str, int] = {}
        """Number of the submission by the id that it was answered with."""
        self.broken: list[str] = []
        """Promises that users saw broken."""
        self.bad_files: list[str] = []
        self.asking = threading.Event()
        """A request is on its way."""
        self.did = {"cancels": 0, "retries": 0, "resent": 0, "asked_again": 0, "downloads": 0}
        self._http = httpx.Client(base_url=url, timeout=20.0)
        self._random = random.Random(seed + 1_000_000)
        self._jobs = jobs
        self._variants = variants
        self._expected = expected
        self._cancelled: set[str] = set()
        self._looked_at: set[str] = set()
        self._closing = threading.Event()
        self._given_up = threading.Event()
        self._fault: BaseException | None = None

    def run(self) -> None:
        """Work until everything is finished, or all is given up."""
        try:
            while not self._given_up.is_set():
                states = self._states()
                self._look(states)
                if self._closing.is_set():
                    if self._finish_off(states):
                        return
                else:
                    self._act(states)
                time.sleep(self._random.uniform(0.02, 0.15))
        except Exception as error:
            self._fault = error
            raise

    def finish(self, patience: float) -> None:
        """Bring every job to its end; raises when that takes too long."""
        self._closing.set()
        self.join(patience)
        if self._fault is not None:
            raise self._fault
        if self.is_alive():
            self.broken.append(f"not all jobs were finished after {patience:g} s")

    def give_up(self) -> None:
        """Stop asking."""
        self._given_up.set()
        self.join(30.0)
        self._http.close()

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request, again and again until it is answered."""
        deadline = time.monotonic() + 120.0
        while True:
            try:
                self.asking.set()
                response = self._http.request(method, path, **options)
                if response.status_code < 500:
                    return response
            except httpx.TransportError:
                pass
            finally:
                self.asking.clear()
            assert time.monotonic() < deadline, f"{method} {path} was not answered"
            assert not self._given_up.is_set()
            self.did["asked_again"] += 1
            time.sleep(0.1)

    def _states(self) -> dict[str, str]:
        jobs = self._ask("GET", "/v1/jobs", params={"limit": 500}).json()["jobs"]
        return {job["id"]: job["state"] for job in jobs}

    def _look(self, states: dict[str, str]) -> None:
        """Hold the service to what it has answered; download what is new."""
        for job_id in self.acknowledged.keys() - states.keys():
            self.broken.append(f"{job_id} was acknowledged and is not listed")
        for job_id in self._cancelled:
            if states.get(job_id) not in (CANCELLING, CANCELLED):
                self.broken.append(f"{job_id} was cancelled and is {states.get(job_id)}")
        for job_id in sorted(j for j, state in states.items() if state == SUCCEEDED):
            if job_id not in self._looked_at:
                self._looked_at.add(job_id)
                self._download(job_id)

    def _download(self, job_id: str) -> None:
        dataset = job_id.replace("job_", "dataset_")
        detail = self._ask("GET", f"/v1/datasets/{dataset}").json()
        expected = dict(self._expected[detail["name"]])
        for file in detail["files"]:
            body = self._ask("GET", f"/v1/datasets/{dataset}/files/{file['name']}").content
            seen = hashlib.sha256(body).hexdigest()
            if seen != file["sha256"] or seen != expected.pop(file["name"], None):
                self.bad_files.append(f"{dataset}/{file['name']} has digest {seen}")
        self.bad_files += [f"{dataset}/{name} is absent" for name in expected]
        self.did["downloads"] += 1

    def _act(self, states: dict[str, str]) -> None:
        unfinished = sorted(j for j, state in states.items() if state not in OVER)
        over = sorted(j for j, state in states.items() if state in (FAILED, CANCELLED))
        chance = self._random.random()
        if len(unfinished) < self._jobs:
            self._submit(len(self.acknowledged))
        elif chance < 0.06:
            self._cancel(self._random.choice(unfinished))
        elif chance < 0.3 and over:
            self._retry(self._random.choice(over))
        elif chance < 0.4:
            self.did["resent"] += 1
            self._submit(self._random.randrange(len(self.acknowledged)))

    def _submit(self, number: int) -> None:
        """Submission `number`, for the first time or again."""
        job = chaos_job(number % self._variants)
        headers = {"Idempotency-Key": f"submission-{number}"}
        response = self._ask("POST", "/v1/jobs", json=job, headers=headers)
        assert response.status_code == 202, response.text
        job_id = response.json()["id"]
        if self.acknowledged.setdefault(job_id, number) != number:
            self.broken.append(f"submissions {number} and another are both {job_id}")

    def _cancel(self, job_id: str) -> None:
        if self._ask("POST", f"/v1/jobs/{job_id}:cancel").status_code == 202:
            self._cancelled.add(job_id)
            self.did["cancels"] += 1

    def _retry(self, job_id: str) -> None:
        self._cancelled.discard(job_id)
        if self._ask("POST", f"/v1/jobs/{job_id}:retry").status_code == 202:
            self.did["retries"] += 1

    def _finish_off(self, states: dict[str, str]) -> bool:
        """Try again what is not done; True when everything is."""
        for job_id, state in states.items():
            if state in (FAILED, CANCELLED):
                self._retry(job_id)
        return all(state == SUCCEEDED for state in states.values())
