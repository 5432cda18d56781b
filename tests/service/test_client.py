"""The client for Python and the shell: submit, follow, download, resume, verify."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import itertools
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import anyio
import httpx
import pytest
from click.testing import CliRunner
from service_kit import LocalService, make_settings, serving, until
from tiny_job import digests, tiny_job, write_job

from datagen.errors import DatasetError, OutputError, SpecError
from service.cli import main
from service.client import AsyncClient, Client, ServiceError
from service.client import connection as connection_module
from service.client.transfer import local_path
from service.states import JobState

Seen = list[httpx.Request]


class Faulty(httpx.AsyncBaseTransport):
    """Breaks every answer off after so many bytes, the first `times` times."""

    def __init__(self, after: int, times: int) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self.after = after
        self._left = times
        self.seen: Seen = []
        self.closed = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        response = await self._inner.handle_async_request(request)
        cut = "/files/" in request.url.path or request.url.path.endswith("/events")
        if not cut or self._left == 0:
            return response
        self._left -= 1
        return httpx.Response(
            response.status_code, headers=response.headers, stream=Cut(response, self)
        )

    async def aclose(self) -> None:
        await self._inner.aclose()


class Cut(httpx.AsyncByteStream):
    def __init__(self, response: httpx.Response, owner: Faulty) -> None:
        self._response = response
        self._owner = owner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._owner.after
        async for block in self._response.stream:  # type: ignore[union-attr]
            yield block[:left]
            left -= len(block)
            if left <= 0:
                raise httpx.ReadError("the connection broke")

    async def aclose(self) -> None:
        self._owner.closed += 1
        await self._response.aclose()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (connection_module, "service.client.asynchronous", "service.client.transfer"):
        monkeypatch.setattr(
            f"{module if isinstance(module, str) else module.__name__}.PAUSES", (0.01,) * 6
        )


def test_from_a_job_to_a_verified_dataset(service: LocalService, tmp_path: Path) -> None:
    """Submit a file, follow it, list it, and download what the worker wrote."""
    with Client(service.url) as client, service.dispatcher():
        job = client.submit(write_job(tmp_path, tiny_job()))
        states = [e.data["state"] for e in client.watch(job.id) if e.type == "state"]
        assert states[-1] == "SUCCEEDED"
        done = client.wait(job.id)
        assert [found.id for found in client.jobs(states=["SUCCEEDED"])] == [job.id]
        assert done.dataset is not None
        transfer = client.download(done.dataset, tmp_path / "out")
    assert digests(tmp_path / "out") == digests(service.folders.dataset(job.id))
    assert transfer.bytes_received == sum(path.stat().st_size for path in transfer.files)


def test_nothing_is_fetched_twice(service: LocalService, tmp_path: Path) -> None:
    """Leave alone what is here and verifies; fetch again what was damaged."""
    dataset = service.finished().replace("job", "dataset")
    out = tmp_path / "out"
    with Client(service.url) as client:
        whole = client.download(dataset, out)
        assert client.download(dataset, out).bytes_received == 0
        (out / "orbit.h5").write_bytes(b"damaged")
        again = client.download(dataset, out)
    assert 0 < again.bytes_received < whole.bytes_received


def test_a_broken_download_goes_on(service: LocalService, tmp_path: Path) -> None:
    """Continue with Range and If-Range through interruptions; receive no byte twice."""
    job_id = service.finished()
    faulty = Faulty(after=500, times=20)
    with Client(service.url, transport=faulty) as client:
        done = client.download(job_id.replace("job", "dataset"), tmp_path / "out", parallel=1)
    assert digests(tmp_path / "out") == digests(service.folders.dataset(job_id))
    assert done.bytes_received == sum(path.stat().st_size for path in done.files)
    asked = [r.headers["Range"] for r in faulty.seen if "Range" in r.headers]
    assert asked
    assert all("If-Range" in r.headers for r in faulty.seen if "Range" in r.headers)


def test_a_download_waits_its_turn(tmp_path: Path) -> None:
    """Come again when the service says that files are asked for too fast."""
    settings = make_settings(tmp_path / "data", rate_per_minute=1_200, rate_burst=4)
    with serving(settings) as service:
        job_id = service.submit()
        with service.dispatcher():
            service.wait(job_id)
        with Client(service.url) as client:
            done = client.download(job_id.replace("job", "dataset"), tmp_path / "out")
    assert len(done.files) > 4


def test_a_part_of_other_bytes_is_begun_anew(service: LocalService, tmp_path: Path) -> None:
    """Find by the digest that a part was of something else."""
    job_id = service.finished()
    out = tmp_path / "out"
    out.mkdir()
    (out / "orbit.h5.part").write_bytes(b"something else")
    with Client(service.url) as client:
        client.download(job_id.replace("job", "dataset"), out)
    assert digests(out) == digests(service.folders.dataset(job_id))


def test_a_folder_of_something_else_is_left_alone(service: LocalService, tmp_path: Path) -> None:
    """Go neither among other files nor over another dataset; bear what a user adds to this one."""
    first, second = (service.finished(tiny_job(seed=s)).replace("job", "dataset") for s in (1, 2))
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    with Client(service.url) as client:
        with pytest.raises(OutputError, match=r"thesis\.txt"):
            client.download(first, out)
        assert [path.name for path in out.iterdir()] == ["thesis.txt"]
        (out / "thesis.txt").unlink()
        client.download(first, out)
        (out / "notes.txt").write_text("mine too")
        assert client.download(first, out).bytes_received == 0
        before = digests(out)
        with pytest.raises(OutputError, match=r"job\.json"):
            client.download(second, out)
        assert digests(out) == before


def test_no_job_is_made_for_a_folder_that_is_taken(service: LocalService, tmp_path: Path) -> None:
    """Say before hours of work that its dataset could not be downloaded there."""
    spec, out = write_job(tmp_path, tiny_job()), tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    asked = ["submit", str(spec), "--url", service.url, "-o", str(out)]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 2
    assert "thesis.txt" in result.stderr
    assert service.http.get("/v1/jobs").json()["jobs"] == []


def test_damage_on_the_server_is_told(service: LocalService, tmp_path: Path) -> None:
    """Give no file its name that does not verify."""
    job_id = service.finished()
    path = service.folders.dataset(job_id) / "orbit.h5"
    path.write_bytes(bytes(path.stat().st_size))
    with Client(service.url) as client, pytest.raises(DatasetError, match="SHA-256"):
        client.download(job_id.replace("job", "dataset"), tmp_path / "out")
    assert not (tmp_path / "out" / "orbit.h5").exists()


def test_one_bad_file_ends_the_other_downloads(service: LocalService, tmp_path: Path) -> None:
    """Leave no transfer running behind the error."""
    job_id = service.finished()
    path = service.folders.dataset(job_id) / "orbit.h5"
    path.write_bytes(bytes(path.stat().st_size))

    class Endless(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if "/files/" in request.url.path and not request.url.path.endswith("orbit.h5"):
                await anyio.sleep_forever()
            return await super().handle_async_request(request)

    out = tmp_path / "out"

    async def bring() -> None:
        async with AsyncClient(service.url, transport=Endless()) as client:
            with pytest.raises(DatasetError, match="SHA-256"):
                await client.download(job_id.replace("job", "dataset"), out, parallel=9)
            assert asyncio.all_tasks() == {asyncio.current_task()}

    anyio.run(bring)


def test_who_stops_following_leaves_no_answer_open(service: LocalService) -> None:
    """Close the stream of events when its reader goes."""
    job_id = service.finished()
    faulty = Faulty(after=10**9, times=1)
    with Client(service.url, transport=faulty) as client:
        for _ in client.watch(job_id):
            break
        assert faulty.closed == 1


def test_an_iterator_may_outlive_its_client(service: LocalService) -> None:
    """Close what is being read with the client, and bear a reader that is dropped later."""
    job_id = service.finished()
    faulty = Faulty(after=10**9, times=1)
    with Client(service.url, transport=faulty) as client:
        events = client.watch(job_id)
        next(events)
    assert faulty.closed == 1
    del events
    gc.collect()  # an error in there would fail the test, as a warning


def test_following_goes_on_after_a_break(service: LocalService) -> None:
    """Give every event once, in order, through interruptions."""
    job_id = service.finished()
    faulty = Faulty(after=300, times=5)
    with Client(service.url) as client:
        expected = list(client.watch(job_id))
    with Client(service.url, transport=faulty) as client:
        assert list(client.watch(job_id)) == expected
    assert len([r for r in faulty.seen if r.url.path.endswith("/events")]) > 3


def test_a_repeated_submission_is_one_job(service: LocalService) -> None:
    """Make up an idempotency key, so that a lost answer doubles nothing."""
    with Client(service.url, transport=Lossy()) as client:
        client.submit(tiny_job())
        assert len(list(client.jobs())) == 1


def test_lost_answers_to_changes(service: LocalService) -> None:
    """Take the refusal of what is done already for the lost answer, and for nothing else."""
    job_id = service.submit()
    service.http.post(f"/v1/jobs/{job_id}:cancel")
    with Client(service.url, transport=Lossy()) as client:
        assert client.retry(job_id).state == "QUEUED"
        with pytest.raises(ServiceError, match="409"):
            client.retry(job_id)
        client.cancel(job_id)
    with Client(service.url, transport=Lossy()) as client:
        client.delete(job_id)
        with pytest.raises(ServiceError, match="404"):
            client.delete(job_id)


class Lossy(httpx.AsyncHTTPTransport):
    """Loses the answer to the first request."""

    def __init__(self) -> None:
        super().__init__()
        self._count = itertools.count()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if next(self._count) == 0:
            await response.aclose()
            raise httpx.ReadError("the answer was lost")
        return response


def test_a_quota_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing that will not pass by itself."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(connection_module, "asyncio", SimpleNamespace(sleep=sleep))
    with (
        serving(make_settings(tmp_path / "data", quota_frames=5)) as service,
        Client(service.url) as client,
        pytest.raises(ServiceError, match="quota of 5"),
    ):
        client.submit(tiny_job())
    assert [seconds for seconds in waits if seconds >= 1] == []


def answering(status: int, **headers: str) -> httpx.MockTransport:
    answer = httpx.Response(status, headers=headers, text="<html></html>")
    return httpx.MockTransport(lambda _request: answer)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (answering(200, **{"Content-Type": "text/html"}), "answers with text/html"),
        (answering(301, Location="https://there/v1/jobs"), "leads on to https://there/"),
    ],
)
def test_what_is_no_service(answer: httpx.MockTransport, told: str) -> None:
    """Say so when something else answers."""
    with Client(transport=answer) as client, pytest.raises(ServiceError, match=told):
        list(client.jobs())


def test_an_upload_waits_its_turn(service: LocalService, tmp_path: Path) -> None:
    """Come again with the same file while another check is at work."""
    (tmp_path / "walk.txt").write_text("0 0 0 0 0 0 0 1\n1 1 0 0 0 0 0 1\n")
    answers = iter([httpx.Response(503, json={"type": "/problems/busy"})])

    class Busy(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return next(answers, None) or await super().handle_async_request(request)

    with Client(service.url, transport=Busy()) as client:
        assert client.upload(tmp_path / "walk.txt").name == "walk.txt"


def test_refusals_name_the_faults(service: LocalService) -> None:
    """Raise with status, type and pointers."""
    with Client(service.url) as client, pytest.raises(ServiceError) as caught:
        client.submit(tiny_job(seed=-1))
    assert (caught.value.status, caught.value.type) == (422, "/problems/invalid")
    assert [pointer for pointer, _ in caught.value.faults] == ["/seed"]


def test_listing_goes_through_all_pages(service: LocalService) -> None:
    """Ask for the next page until there is none."""
    made = {service.submit() for _ in range(103)}
    with Client(service.url) as client:
        assert {job.id for job in client.jobs()} == made


def test_cancel_retry_delete(service: LocalService) -> None:
    """Do what the endpoints do."""
    with Client(service.url) as client:
        job = client.submit(tiny_job())
        assert client.cancel(job.id).state == "CANCELLED"
        assert client.retry(job.id).state == "QUEUED"
        client.cancel(job.id)
        client.delete(job.id)
        assert list(client.jobs()) == []


def test_coroutines(service: LocalService, tmp_path: Path) -> None:
    """Offer the same as coroutines."""
    job_id = service.finished()

    async def bring() -> None:
        async with AsyncClient(service.url) as client:
            view = await client.job(job_id)
            assert view.dataset is not None
            await client.download(view.dataset, tmp_path / "out")

    anyio.run(bring)
    assert digests(tmp_path / "out") == digests(service.folders.dataset(job_id))


def test_upload(service: LocalService, tmp_path: Path) -> None:
    """Send a file with its digest."""
    (tmp_path / "walk.txt").write_text("0 0 0 0 0 0 0 1\n1 1 0 0 0 0 0 1\n")
    with Client(service.url) as client:
        asset = client.upload(tmp_path / "walk.txt")
    assert asset.sha256 == hashlib.sha256((tmp_path / "walk.txt").read_bytes()).hexdigest()


def test_submitting_a_file_uploads_what_it_names(service: LocalService, tmp_path: Path) -> None:
    """Send the recordings beside a job, each once, and leave paths of uploads as they are."""
    (tmp_path / "walk.txt").write_text("0 0 0 0 0 0 0 1\n1 1 0 0 0 0 0 1\n")
    job = tiny_job()
    for segment in job["segments"]:
        segment["trajectory"] = {"kind": "recorded", "path": "walk.txt"}
    with Client(service.url) as client:
        first, second = (client.submit(write_job(tmp_path, job), key="once") for _ in range(2))
        [asset] = service.http.get("/v1/assets").json()["assets"]
        assert first.id == second.id
        job["segments"][0]["trajectory"]["path"] = f"{asset['id']}/walk.txt"
        assert client.submit(write_job(tmp_path, job), key="once").id == first.id
        (tmp_path / "walk.txt").unlink()
        with pytest.raises(SpecError, match=r"walk.txt: no such file"):
            client.submit(write_job(tmp_path, job))


def test_an_admin_uploads_what_others_have(service: LocalService, tmp_path: Path) -> None:
    """Name one's own upload in a job, though the same bytes of another owner are seen."""
    (tmp_path / "walk.txt").write_text("0 0 0 0 0 0 0 1\n1 1 0 0 0 0 0 1\n")
    job = tiny_job()
    for segment in job["segments"]:
        segment["trajectory"] = {"kind": "recorded", "path": "walk.txt"}
    path = write_job(tmp_path, job)
    for scopes, owner in ((("submit",), "alice"), (("admin",), "root")):
        headers = service.key(*scopes, owner=owner)
        with Client(service.url, headers["Authorization"].removeprefix("Bearer ")) as client:
            assert client.submit(path).owner == owner
            client.submit(path)
    seen = service.http.get("/v1/assets", headers=headers).json()["assets"]
    assert sorted(asset["owner"] for asset in seen) == ["alice", "root"]


@pytest.mark.parametrize("segments", [None, 5, [None], [{"trajectory": 3, "scene": {"path": 4}}]])
def test_malformed_jobs_are_left_to_the_service(
    service: LocalService, tmp_path: Path, segments: object
) -> None:
    """Let the service say what is wrong with a job whose files cannot be found."""
    path = write_job(tmp_path, tiny_job(segments=segments))
    with Client(service.url) as client, pytest.raises(ServiceError, match="/segments"):
        client.submit(path)


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "a\\..\\x", "", ".", "a/./x/.."])
def test_names_that_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    """Trust no name that a service lists."""
    with pytest.raises(DatasetError):
        local_path(tmp_path, name)


def test_shell(service: LocalService, tmp_path: Path) -> None:
    """Submit, wait, list, watch and download from the shell."""
    run = CliRunner(env={"DATAGEN_URL": service.url}).invoke
    job = str(write_job(tmp_path, tiny_job()))
    assert run(main, ["jobs"]).stderr == "no jobs\n"
    with service.dispatcher():
        submitted = run(main, ["submit", job, "--wait"])
    assert submitted.exit_code == 0, submitted.output
    [found] = service.http.get("/v1/jobs").json()["jobs"]
    assert found["id"] in run(main, ["jobs"]).output
    assert run(main, ["watch", found["id"]]).exit_code == 0
    out = str(tmp_path / "out")
    downloaded = run(main, ["download", found["dataset"], "-o", out])
    assert downloaded.exit_code == 0, downloaded.output
    assert digests(tmp_path / "out") == digests(service.folders.dataset(found["id"]))
    refused = run(main, ["cancel", found["id"]])
    assert refused.exit_code != 0
    assert "409" in refused.output


def test_shell_prints_json_alone(service: LocalService, tmp_path: Path) -> None:
    """Keep standard output to the job where JSON is asked for, also when it is downloaded."""
    run = CliRunner(env={"DATAGEN_URL": service.url}).invoke
    job, out = str(write_job(tmp_path, tiny_job())), str(tmp_path / "out")
    with service.dispatcher():
        done = run(main, ["submit", job, "--json", "-o", out])
    assert json.loads(done.stdout)["state"] == "SUCCEEDED"
    assert "files verified" in done.stderr


def test_shell_fails_with_a_cancelled_job(service: LocalService, tmp_path: Path) -> None:
    """Tell scripts that a job which was waited for has made no dataset."""
    job_id = service.submit()
    service.http.post(f"/v1/jobs/{job_id}:cancel")
    run = CliRunner(env={"DATAGEN_URL": service.url}).invoke
    assert run(main, ["watch", job_id]).exit_code == 1
    again = ["submit", str(write_job(tmp_path, tiny_job())), "--idempotency-key", "k"]
    assert run(main, again).exit_code == 0
    (submitted, _) = service.http.get("/v1/jobs").json()["jobs"]
    service.http.post(f"/v1/jobs/{submitted['id']}:cancel")
    assert run(main, [*again, "-o", str(tmp_path / "out")]).exit_code == 1


def test_a_cancelled_job_is_no_success(service: LocalService, tmp_path: Path) -> None:
    """Tell scripts that wait for a job by the code, and who asks for its dataset in words."""
    run = CliRunner(env={"DATAGEN_URL": service.url}).invoke
    run(main, ["submit", str(write_job(tmp_path, tiny_job()))])
    [job] = service.http.get("/v1/jobs").json()["jobs"]
    early = run(main, ["download", job["id"], "-o", str(tmp_path / "out")])
    assert (early.exit_code, "is QUEUED; only a job that SUCCEEDED" in early.output) == (2, True)
    run(main, ["cancel", job["id"]])
    assert service.state(job["id"]) is JobState.CANCELLED
    assert run(main, ["watch", job["id"]]).exit_code == 1


def test_an_interrupt_leaves_the_job_alone(service: LocalService, tmp_path: Path) -> None:
    """End in words, not in a trace, when the keyboard interrupts who waits for a job."""
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from service.cli import main; main()"
    )
    given = ["submit", str(write_job(tmp_path, tiny_job())), "--wait", "--url", service.url]
    with subprocess.Popen(
        [sys.executable, "-c", program, *given], stderr=subprocess.PIPE, text=True
    ) as waiting:
        (job,) = until(lambda: service.http.get("/v1/jobs").json()["jobs"])
        until(lambda: service.app.state.datagen.hub._listeners)  # it follows the events
        waiting.send_signal(signal.SIGINT)
        _, said = waiting.communicate(timeout=60)
    assert waiting.returncode == 130
    assert f"the job goes on: datagen watch {job['id']}" in said
    assert "Traceback" not in said
    assert service.state(job["id"]) is JobState.QUEUED
