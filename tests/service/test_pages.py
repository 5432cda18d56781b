"""Pages without a browser: every one answers, escapes, links to what there is, and obeys its policy."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from service_kit import LocalService, make_settings, serving, until
from tiny_job import tiny_job

from service.cli import main
from service.deps import SESSION_COOKIE
from service.pages.words import WAITING

NASTY = "</textarea><script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


class Elements(HTMLParser):
    """Every start tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def links(self) -> set[str]:
        """Addresses that a reader or the browser follows with GET."""
        named = {"a": "href", "link": "href", "script": "src", "img": "src"}
        return {
            str(attrs[named[tag]]) for tag, attrs in self.found if attrs.get(named.get(tag, ""))
        }

    def ids(self) -> list[str]:
        return [str(attrs["id"]) for _, attrs in self.found if "id" in attrs]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalService, str]]:
    """A service with a finished, a failed, a cancelled and a waiting job, and the first's id."""
    settings = make_settings(tmp_path_factory.mktemp("pages") / "data")
    with serving(settings) as service:
        done = service.submit()
        bad = service.submit(tiny_job(name="bad-input"))
        with service.dispatcher():
            service.wait(done)
            service.wait(bad)
        cancelled = service.submit(tiny_job(name="cancelled"))
        service.http.post(f"/v1/jobs/{cancelled}:cancel")
        service.submit(tiny_job(name="waiting"))
        yield service, done


def pages_of(service: LocalService) -> list[str]:
    """The address of every page that there is."""
    jobs = [job["id"] for job in service.http.get("/v1/jobs").json()["jobs"]]
    datasets = [d["id"] for d in service.http.get("/v1/datasets").json()["datasets"]]
    return [
        "/", "/?show=active", "/?show=failed", "/datasets", "/login", "/jobs/new",
        *(f"/jobs/{job}" for job in jobs),
        f"/jobs/new?job={jobs[0]}",
        *(f"/datasets/{dataset}" for dataset in datasets),
    ]  # fmt: skip


def test_every_page_answers_and_obeys_its_policy(filled: tuple[LocalService, str]) -> None:
    """Answer 200 with a policy, and hold nothing that the policy forbids."""
    service, _ = filled
    for address in pages_of(service):
        answer = service.http.get(address)
        assert answer.status_code == 200, address
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        for tag, attrs in Elements(answer.text).found:
            assert tag not in ("style", "base", "iframe", "object"), address
            assert tag != "script" or (attrs.get("src") or "").startswith("/static/"), address
            assert not any(name == "style" or name.startswith("on") for name in attrs), address


def test_every_link_leads_somewhere(filled: tuple[LocalService, str]) -> None:
    """Follow every link, stylesheet, script and picture of every page."""
    service, _ = filled
    known: dict[str, int] = {}
    for address in pages_of(service):
        elements = Elements(service.http.get(address).text)
        assert len(elements.ids()) == len(set(elements.ids())), f"an id twice in {address}"
        for link in elements.links():
            whole = urlsplit(urljoin(service.url + address, link))
            assert whole.netloc == urlsplit(service.url).netloc, f"{link} leads elsewhere"
            if whole.fragment:
                assert whole.fragment in elements.ids()
            target = whole._replace(fragment="").geturl()
            known.setdefault(target, service.http.get(target).status_code)
            assert known[target] == 200, f"{address} links to {target}"


def test_labels_and_descriptions_belong_to_something(filled: tuple[LocalService, str]) -> None:
    """Give every control a name, and let every reference find its element."""
    service, _ = filled
    elements = Elements(service.http.get("/jobs/new?template=hand-held").text)
    ids = set(elements.ids())
    labelled = {attrs.get("for") for tag, attrs in elements.found if tag == "label"}
    for tag, attrs in elements.found:
        assert set((attrs.get("aria-describedby") or "").split()) <= ids
        if tag in ("input", "select", "textarea") and attrs.get("type") != "file":
            assert attrs.get("id") in labelled or "aria-label" in attrs, attrs


def test_user_text_is_escaped(service: LocalService) -> None:
    """Show what users and workers wrote as text, wherever it appears."""
    job = service.submit(tiny_job(licence=NASTY))
    with service.database.write() as connection:
        error = (
            '{"kind": "input", "task": "<b>t</b>", "attempt": 1, "message": "<script>x</script>"}'
        )
        connection.exec_driver_sql("UPDATE jobs SET error = ?, state = 'FAILED'", (error,))
        connection.exec_driver_sql("UPDATE tasks SET name = '<i>n</i>'")
    for address in (f"/jobs/{job}", f"/jobs/new?job={job}", "/"):
        text = service.http.get(address).text
        assert not re.search(r"<script>|<img src=x|<i>n|<b>t", text), address
    form = service.http.get(f"/jobs/new?job={job}").text
    values = {attrs.get("value") for _, attrs in Elements(form).found}
    assert NASTY in values


def test_refusals_are_pages(filled: tuple[LocalService, str]) -> None:
    """Say in HTML that there is no such job, dataset, template or page."""
    service, done = filled
    for address in (
        "/jobs/job_" + "0" * 32, "/jobs/nothing", "/datasets/dataset_" + "0" * 32,
        "/jobs/new?template=nothing", "/?show=nothing", f"/jobs/{done}?first=x",
    ):  # fmt: skip
        answer = service.http.get(address)
        assert answer.status_code == 404, address
        assert answer.headers["Content-Type"].startswith("text/html")


def test_buttons_of_a_job(service: LocalService) -> None:
    """Cancel, try again and delete from the page, without any script."""
    job = service.submit()
    assert act(service, job, "cancel").headers["Location"] == f"/jobs/{job}"
    assert service.state(job) == "CANCELLED"
    assert act(service, job, "retry").status_code == 303
    assert service.state(job) == "QUEUED"
    assert act(service, job, "delete").status_code == 409
    act(service, job, "cancel")
    assert act(service, job, "delete").headers["Location"] == "/"
    assert service.http.get(f"/jobs/{job}").status_code == 404


def act(service: LocalService, job: str, what: str, **options: object) -> httpx.Response:
    return service.http.post(f"/jobs/{job}/{what}", follow_redirects=False, **options)  # type: ignore[arg-type]


def test_other_sites_cannot_press_buttons(service: LocalService) -> None:
    """Refuse a form that another site's page sends."""
    job = service.submit()
    answer = act(service, job, "cancel", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert service.state(job) == "QUEUED"


def test_log_in_and_out(service: LocalService) -> None:
    """Lead strangers to the log-in; keep a session for a key; end it on request."""
    owner = service.key("submit", owner="ann")
    job = service.submit(headers=owner)
    with httpx.Client(base_url=service.url) as browser:
        away = browser.get(f"/jobs/{job}")
        assert (away.status_code, away.headers["Location"]) == (303, f"/login?next=/jobs/{job}")
        form = {"key": owner["Authorization"].removeprefix("Bearer "), "next": f"/jobs/{job}"}
        inside = browser.post("/login", data=form)
        assert inside.headers["Location"] == f"/jobs/{job}"
        for word in ("HttpOnly", "SameSite=lax", "Path=/"):
            assert word in inside.headers["Set-Cookie"]
        assert browser.get(f"/jobs/{job}").status_code == 200
        same = {"Origin": service.url}
        assert browser.post(f"/jobs/{job}/cancel").status_code == 403
        assert browser.post(f"/jobs/{job}/cancel", headers=same).status_code == 303
        token = browser.cookies[SESSION_COOKIE]
        browser.post("/logout", headers=same)
        browser.cookies.set(SESSION_COOKIE, token)
        assert browser.get("/").status_code == 303


def test_wrong_keys_and_other_addresses(service: LocalService) -> None:
    """Refuse a wrong key, and never lead to another site after the log-in."""
    key = service.key("read")["Authorization"].removeprefix("Bearer ")
    wrong = service.http.post("/login", data={"key": "dgk_x_y", "next": "/"})
    assert (wrong.status_code, "Set-Cookie" in wrong.headers) == (403, False)
    for address in ("https://example.org/", "//example.org/", "/\\example.org", "javascript:x"):
        answer = service.http.post("/login", data={"key": key, "next": address})
        assert answer.headers["Location"] == "/"


def test_pages_show_only_ones_own(service: LocalService) -> None:
    """Hide another's job and dataset, and buttons from who may only read."""
    ann, ben = service.key("submit", owner="ann"), service.key("read", owner="ben")
    job = service.finished(headers=ann)
    with httpx.Client(base_url=service.url) as browser:
        browser.post("/login", data={"key": ben["Authorization"].removeprefix("Bearer ")})
        assert browser.get(f"/jobs/{job}").status_code == 404
        assert browser.get(f"/datasets/{job.replace('job', 'dataset')}").status_code == 404
        assert job not in browser.get("/").text
        assert browser.get("/jobs/new").status_code == 403
        assert (
            browser.post(f"/jobs/{job}/delete", headers={"Origin": service.url}).status_code == 403
        )


def test_static_files_are_kept_under_their_version(service: LocalService) -> None:
    """Let versioned files be kept for good and others be asked for again."""
    page = service.http.get("/").text
    sheet = re.search(r'href="(/static/datagen\.css\?v=\w+)"', page)
    assert sheet is not None
    assert "immutable" in service.http.get(sheet[1]).headers["Cache-Control"]
    assert service.http.get("/static/datagen.css").headers["Cache-Control"] == "no-cache"
    assert service.http.get("/static/../rendering.py").status_code == 404


def test_pages_are_not_part_of_the_api(service: LocalService) -> None:
    """Keep pages out of the OpenAPI document."""
    paths = service.http.get("/openapi.json").json()["paths"]
    assert all(
        p.startswith(("/v1/", "/healthz", "/readyz", "/metrics", "/problems")) for p in paths
    )


def test_commands_on_a_datasets_page_are_accepted(filled: tuple[LocalService, str]) -> None:
    """Show a command line that can be copied: real options, and none that is required missing."""
    service, done = filled
    page = service.http.get(f"/datasets/{done.replace('job', 'dataset')}").text
    (line,) = re.findall(r"datagen (download [^<]*)", page)
    words = shlex.split(line)
    context = main.commands[words[0]].make_context(words[0], words[1:])
    assert context.params["url"] == service.url
    assert context.params["out"] == Path("tiny")


def test_large_jobs_show_some_segments_at_a_time(service: LocalService) -> None:
    """Show the segments of a large job in parts that lead on to each other."""
    one = tiny_job()["segments"][0]
    many = [{**one, "segment_id": i, "name": f"s{i}"} for i in range(100)]
    job = service.submit(tiny_job(segments=many))
    first, last = (service.http.get(f"/jobs/{job}?first={n}").text for n in (0, 96))
    assert first.count("<article") == 48
    assert last.count("<article") == 4
    assert f"?first={96}" in first


def test_waiting_says_why(service: LocalService) -> None:
    """Say on the page why a job waits."""
    job = service.submit()
    assert "dispatcher, which is not running" in service.http.get(f"/jobs/{job}").text
    with service.dispatcher(disk_reserve_bytes=2**60):
        until(lambda: "room on the disk" in service.http.get(f"/jobs/{job}").text)


def test_every_class_of_workers_has_words(service: LocalService) -> None:
    """Say which workers are missing, of all classes that a job may ask for."""
    assert set(service.settings.slots) <= set(WAITING)
