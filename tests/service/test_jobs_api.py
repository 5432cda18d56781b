"""Jobs over REST: submit, check, look, follow, cancel, retry, delete."""

from __future__ import annotations

import base64
import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from service_kit import LocalService, fake_command, make_settings, serving, until
from tiny_job import tiny_job

from service.job_log import EVENTS, TAIL
from service.ledger.journal import record, record_progress
from service.pages.job_pages import LINES_SHOWN
from service.states import JobState
from service.submission import MAX_FAULTS


def test_submit_runs_to_a_dataset(service: LocalService) -> None:
    """Accept a job, do it, and list its dataset."""
    response = service.http.post("/v1/jobs", json=tiny_job())
    assert response.status_code == 202
    job = response.json()
    assert response.headers["Location"] == f"/v1/jobs/{job['id']}"
    assert (job["state"], job["frames"], job["segments"]) == ("QUEUED", 12, 2)
    with service.dispatcher():
        assert service.wait(job["id"]) is JobState.SUCCEEDED
    done = service.http.get(f"/v1/jobs/{job['id']}").json()
    assert (done["frames_done"], done["error"], done["waiting_for"]) == (12, None, None)
    listed = service.http.get("/v1/datasets").json()["datasets"]
    assert [dataset["id"] for dataset in listed] == [done["dataset"]]


def test_submit_yaml(service: LocalService) -> None:
    """Take the same job as YAML."""
    headers = {"Content-Type": "application/yaml"}
    body = yaml.safe_dump(tiny_job())
    response = service.http.post("/v1/jobs", content=body, headers=headers)
    as_json = service.http.post("/v1/jobs", json=tiny_job())
    assert response.json()["spec_sha256"] == as_json.json()["spec_sha256"]


def test_idempotency_key(service: LocalService) -> None:
    """Answer a repeated key with the same job, and refuse it for another body."""
    headers = {"Idempotency-Key": "once"}
    first = service.http.post("/v1/jobs", json=tiny_job(), headers=headers)
    again = service.http.post("/v1/jobs", json=tiny_job(), headers=headers)
    other = service.http.post("/v1/jobs", json=tiny_job(seed=9), headers=headers)
    assert first.json()["id"] == again.json()["id"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert len(service.http.get("/v1/jobs").json()["jobs"]) == 1


def refused(service: LocalService, job: dict[str, Any]) -> dict[str, str]:
    """Faults by JSON pointer."""
    body = json.dumps(job)
    headers = {"Content-Type": "application/json"}
    response = service.http.post("/v1/jobs:validate", content=body, headers=headers)
    assert response.status_code == 422, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    return {fault["pointer"]: fault["detail"] for fault in response.json()["errors"]}


def with_trajectory(**fields: Any) -> dict[str, Any]:
    segment = {"segment_id": 0, "duration": 0.2, "frame_rate": 20.0, "trajectory": fields}
    return tiny_job(segments=[segment])


@pytest.mark.parametrize(
    ("job", "pointer", "told"),
    [
        (tiny_job(sensors=[{"kind": "event_camera"}] * 2), "/sensors", "name events is given more"),
        (tiny_job(seeds=1), "/seeds", "did you mean 'seed'"),
        (tiny_job(camera={"width": "40"}), "/camera/width", "integer"),
        (tiny_job(scene={"kind": "preset", "objects": -1, "preset": "planes"}), "/scene/objects", "greater"),
        (tiny_job(scene={"kind": "preset", "preset": "moon"}), "/scene/preset", "tabletop"),
        (with_trajectory(kind="orbitel"), "/segments/0/trajectory", "orbital"),
        (with_trajectory(kind="orbital", phase=float("inf")), "/segments/0/trajectory/phase", "finite"),
        (with_trajectory(kind="linear", start=[0.0, 0.0, 0.0]), "/segments/0/trajectory/velocity", "required"),
        (tiny_job(scene={"kind": "usd", "path": "../../etc/passwd"}), "/scene/path", "upload"),
        (tiny_job(camera={"width": 60_000, "height": 60_000}), "/camera", "at most"),
    ],
)  # fmt: skip
def test_validate_points_to_the_fault(
    service: LocalService, job: dict[str, Any], pointer: str, told: str
) -> None:
    """Name the faulty place by a pointer into the document that was sent."""
    faults = refused(service, job)
    assert list(faults) == [pointer]
    assert told in faults[pointer]


def test_validate_names_every_fault(service: LocalService) -> None:
    """Report all faults at once."""
    job = tiny_job(seed=-1, name="Not A Name")
    assert set(refused(service, job)) == {"/seed", "/name"}


def test_a_flood_of_faults_is_counted(service: LocalService) -> None:
    """Name the first faults of a job with very many, and say how many more there are."""
    job = tiny_job() | {f"wrong{i}": 1 for i in range(MAX_FAULTS + 50)}
    response = service.http.post("/v1/jobs:validate", json=job)
    assert len(response.json()["errors"]) == MAX_FAULTS
    assert f"(and {MAX_FAULTS + 49} more)" in response.json()["detail"]


def test_validate_says_yes(service: LocalService) -> None:
    """Say what a good job amounts to."""
    response = service.http.post("/v1/jobs:validate", json=tiny_job())
    assert response.status_code == 200
    assert response.json()["frames"] == 12


def test_scenes_are_checked(service: LocalService) -> None:
    """Have a worker open the scenes; give its refusal at the place that it speaks of."""
    fine = service.http.post("/v1/jobs:validate", params={"scene": True}, json=tiny_job())
    assert fine.json()["scene_checked"] is True
    bad = service.http.post("/v1/jobs:validate?scene=true", json=tiny_job(name="bad-input"))
    fault = {"pointer": "/segments/0/trajectory", "detail": "walk.txt: the camera is inside /Box"}
    assert (bad.status_code, bad.json()["errors"]) == (422, [fault])
    assert bad.json()["detail"] == f"{fault['pointer']}: {fault['detail']}"


@pytest.mark.parametrize(
    ("code", "status", "told"),
    [
        ("raise SystemExit('a trace')", 503, "ended with code 1"),
        ("import os; os.kill(os.getpid(), 9)", 503, "ended with code -9"),
        ("print('a library says hello')", 503, "ended with code 0"),
        ("import sys; sys.stderr.write('a warning\\nerror: scene: too dark\\n'); sys.exit(2)", 422, "too dark"),
    ],
)  # fmt: skip
def test_estimates_that_fail(tmp_path: Path, code: str, status: int, told: str) -> None:
    """Blame the job for what is wrong with the job alone."""
    worker = shlex.join([sys.executable, "-c", code])
    with serving(make_settings(tmp_path / "data", worker=worker)) as service:
        answer = service.http.post("/v1/jobs:estimate", json=tiny_job())
    assert answer.status_code == status
    assert told in answer.json()["detail"]


def test_estimates_beside_other_output(tmp_path: Path) -> None:
    """Find the answer after what a library prints."""
    numbers = dict.fromkeys(("frames", "sub_frames", "events", "spikes", "bytes", "workers"), 1)
    cost = json.dumps({**numbers, "seconds": 2.0, "segments": []}, indent=2)
    worker = shlex.join([sys.executable, "-c", f"print('hello'); print({cost!r})"])
    with serving(make_settings(tmp_path / "data", worker=worker)) as service:
        answer = service.http.post("/v1/jobs:estimate", json=tiny_job())
    assert answer.json()["seconds"] == 2.0


def test_checks_that_fail(tmp_path: Path) -> None:
    """Blame no job for a full disk, and read past what a library prints."""
    (tmp_path / "full").touch()
    for worker in (fake_command(full=tmp_path / "full"), shlex.join([sys.executable, "-c", "print(1)"])):  # fmt: skip
        with serving(make_settings(tmp_path / "data", worker=worker)) as service:
            answer = service.http.post("/v1/jobs:validate?scene=true", json=tiny_job())
        assert answer.status_code == 503


def test_a_check_of_scenes_ends_in_time(tmp_path: Path) -> None:
    """End a check at its limit, and say what has no limit."""
    endless = f"{sys.executable} -c 'import time; time.sleep(600)'"
    with serving(make_settings(tmp_path, worker=endless, check_seconds=0.2)) as service:
        late = service.http.post("/v1/jobs:validate?scene=true", json=tiny_job())
    assert late.status_code == 503
    assert "took longer than 0.2 s; submit the job" in late.json()["detail"]


def test_list_pages_through_all(service: LocalService) -> None:
    """Go through all jobs, the newest first, page by page, each once."""
    made = [service.submit() for _ in range(7)]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = service.http.get("/v1/jobs", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))  # fmt: skip
        seen += [job["id"] for job in page.json()["jobs"]]
        cursor = page.json()["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(made)
    assert len(seen) == len(set(seen)) == 7


@pytest.mark.parametrize(
    "text", ["99999999999999999999:job_x", "-1:x", "1:", ":x", "1:\0", "x", "²:x"]
)
@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/datasets", "/v1/assets"])
def test_cursors_of_others(service: LocalService, path: str, text: str) -> None:
    """Refuse what this service gave nobody."""
    cursor = base64.urlsafe_b64encode(text.encode()).decode()
    assert service.http.get(path, params={"cursor": cursor}).status_code == 400


def test_list_filters(service: LocalService) -> None:
    """Filter by state and by name."""
    first = service.submit(tiny_job(name="first"))
    second = service.submit(tiny_job(name="second"))
    service.http.post(f"/v1/jobs/{first}:cancel")

    def ids(**params: Any) -> list[str]:
        return [job["id"] for job in service.http.get("/v1/jobs", params=params).json()["jobs"]]

    assert ids(state="CANCELLED") == [first]
    assert ids(name="second") == [second]
    assert set(ids(state=["CANCELLED", "QUEUED"])) == {first, second}


def events(service: LocalService, job_id: str, after: int | None = None) -> list[dict[str, Any]]:
    """Events of a finished job."""
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    text = service.http.get(f"/v1/jobs/{job_id}/events", headers=headers).text
    found = []
    for block in text.split("\n\n"):
        fields = dict(
            line.split(": ", 1) for line in block.splitlines() if not line.startswith(":")
        )
        if "id" in fields:
            found.append({"id": int(fields["id"]), "type": fields["event"], **json.loads(fields["data"])})  # fmt: skip
    return found


def test_events_replay(service: LocalService) -> None:
    """Give all events from the start, or those after the last one that was seen."""
    job_id = service.finished()
    whole = events(service, job_id)
    states = [event["state"] for event in whole if event["type"] == "state"]
    assert states == ["QUEUED", "RUNNING", "PACKAGING", "SUCCEEDED"]
    numbers = [event["id"] for event in whole]
    assert numbers == sorted(set(numbers))
    assert events(service, job_id, after=numbers[3]) == whole[4:]


def test_events_end_with_204(service: LocalService) -> None:
    """Tell a browser that has seen all of a finished job not to come again."""
    job_id = service.finished()
    last = events(service, job_id)[-1]["id"]
    headers = {"Last-Event-ID": str(last)}
    assert service.http.get(f"/v1/jobs/{job_id}/events", headers=headers).status_code == 204


def test_cancel_before_it_starts(service: LocalService) -> None:
    """Cancel at once what no worker has, and again without harm."""
    job_id = service.submit()
    assert service.http.post(f"/v1/jobs/{job_id}:cancel").json()["state"] == "CANCELLED"
    assert service.http.post(f"/v1/jobs/{job_id}:cancel").status_code == 202
    with service.dispatcher():
        assert service.state(job_id) is JobState.CANCELLED


def test_cancel_while_it_runs_and_retry(service: LocalService) -> None:
    """End a running job, keep what is sealed, and go on from there on request."""
    job_id = service.submit()
    with service.dispatcher(worker_command=fake_command(pace=0.2)):
        until(lambda: service.http.get(f"/v1/jobs/{job_id}").json()["frames_done"] >= 2)
        service.http.post(f"/v1/jobs/{job_id}:cancel")
        assert service.wait(job_id) is JobState.CANCELLED
    assert any((service.folders.dataset(job_id) / ".work").glob("*/chunks/*"))
    assert service.http.post(f"/v1/jobs/{job_id}:retry").json()["state"] == "QUEUED"
    with service.dispatcher():
        assert service.wait(job_id) is JobState.SUCCEEDED


def test_only_sensible_changes(service: LocalService) -> None:
    """Refuse with 409 what the state does not allow."""
    job_id = service.submit()
    assert service.http.post(f"/v1/jobs/{job_id}:retry").status_code == 409
    assert service.http.delete(f"/v1/jobs/{job_id}").status_code == 409
    with service.dispatcher():
        service.wait(job_id)
    refusal = service.http.post(f"/v1/jobs/{job_id}:cancel")
    assert (refusal.status_code, refusal.json()["type"]) == (409, "/problems/conflict")


def test_delete_removes_everything(service: LocalService) -> None:
    """Hide a deleted job at once and remove its files and rows soon."""
    job_id = service.finished()
    dataset = service.http.get(f"/v1/jobs/{job_id}").json()["dataset"]
    assert service.http.delete(f"/v1/jobs/{job_id}").status_code == 204
    for address in (
        f"/v1/jobs/{job_id}",
        f"/v1/datasets/{dataset}",
        f"/v1/datasets/{dataset}/archive",
    ):
        assert service.http.get(address).status_code == 404
    with service.dispatcher():
        until(lambda: not service.folders.job(job_id).exists())


def test_segments_previews_and_log(service: LocalService) -> None:
    """Show segments, their pictures, and what happened."""
    job_id = service.finished()
    segments = service.http.get(f"/v1/jobs/{job_id}/segments").json()["segments"]
    assert [(s["name"], s["state"], s["attempt"]) for s in segments] == [
        ("orbit", "SEALED", 1), ("radial", "SEALED", 1),
    ]  # fmt: skip
    picture = service.http.get(f"/v1/jobs/{job_id}/previews/{segments[0]['previews'][0]}")
    assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/png")
    assert service.http.get(f"/v1/jobs/{job_id}/previews/nothing.png").status_code == 404
    log = service.http.get(f"/v1/jobs/{job_id}/log").text
    assert "state=SUCCEEDED" in log
    assert "orbit is not rendered at all" in log


def test_long_histories(service: LocalService) -> None:
    """Show the end of a history, and all that happened however much progress there was."""
    job_id = service.submit()
    with service.database.write() as connection:
        for i in range(EVENTS):
            record(connection, job_id, "note", {"task": "orbit", "notes": [f"n{i}"]}, now=i)
    service.http.post(f"/v1/jobs/{job_id}:cancel")
    log = service.http.get(f"/v1/jobs/{job_id}/log").text
    assert "state=CANCELLED" in log
    assert f"the latest {EVENTS:,} events" in log
    other = service.submit()
    with service.database.write() as connection:
        record(connection, other, "note", {"task": "orbit", "notes": ["a scene"]}, now=0)
        for _ in range(LINES_SHOWN):
            record_progress(connection, other, 1, {"job_frames_done": 1}, now=0)
    assert "a scene" in service.http.get(f"/jobs/{other}").text


def test_a_repeated_submission_needs_no_upload(service: LocalService) -> None:
    """Give the same job for the same key also when what it named is deleted by now."""
    walk = "\n".join(f"{t} {t} 0 0 0 0 0 1" for t in range(4))
    asset = service.http.post("/v1/assets", params={"name": "walk.txt"}, content=walk).json()
    job, headers = tiny_job(), {"Idempotency-Key": "once"}
    job["segments"][0]["trajectory"] = {"kind": "recorded", "path": asset["files"][0]["path"]}
    job_id = service.submit(job, headers=headers)
    service.http.post(f"/v1/jobs/{job_id}:cancel")
    assert service.http.delete(f"/v1/assets/{asset['id']}").status_code == 204
    assert service.submit(job, headers=headers) == job_id


def test_log_shows_the_end_of_long_output(service: LocalService) -> None:
    """Leave out the beginning of what a worker printed, not its end."""
    job_id = service.finished()
    file = next(service.folders.logs(job_id).iterdir())
    file.write_text("first words" + TAIL * "x" + "last words")
    log = service.http.get(f"/v1/jobs/{job_id}/log").text
    assert "last words" in log
    assert "first words" not in log


def test_bad_input_fails_the_job_with_its_reason(service: LocalService) -> None:
    """Fail for good what the worker says is wrong, without trying again."""
    job_id = service.submit(tiny_job(name="bad-input"))
    with service.dispatcher():
        assert service.wait(job_id) is JobState.FAILED
    error = service.http.get(f"/v1/jobs/{job_id}").json()["error"]
    assert (error["kind"], error["attempt"]) == ("input", 1)
    assert error["message"] == "segments/0/trajectory: walk.txt: the camera is inside /Box"


def test_waiting_for_a_class_of_workers(service: LocalService) -> None:
    """Name the class that there are no workers of, in the answer and on the page."""
    job_id = service.submit(tiny_job(renderer={"kind": "isaac"}))
    with service.dispatcher():
        until(lambda: service.http.get(f"/v1/jobs/{job_id}").json()["waiting_for"] == "isaac")
        assert (
            "Waits for Isaac Sim, which is not set up" in service.http.get(f"/jobs/{job_id}").text
        )
    told = service.http.get("/openapi.json").json()["components"]["schemas"]["JobView"]
    assert "`isaac`" in told["properties"]["waiting_for"]["description"]


def test_waiting_for(service: LocalService) -> None:
    """Say why a job does not run."""
    job_id = service.submit()
    assert service.http.get(f"/v1/jobs/{job_id}").json()["waiting_for"] == "dispatcher"
    with service.dispatcher(disk_reserve_bytes=2**60):
        until(lambda: service.http.get(f"/v1/jobs/{job_id}").json()["waiting_for"] == "disk")
