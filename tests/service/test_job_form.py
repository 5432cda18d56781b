"""The form of a job: its fields follow from the schema, its changes give documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from service_kit import LocalService
from tiny_job import tiny_job

from schemas.job import JobSpec
from service.pages.documents import put, take_out
from service.pages.edits import Edit, edited
from service.pages.fields import Node
from service.pages.form import form_of
from service.pages.starters import KINDS, TEMPLATES

EXAMPLES = Path(__file__).parents[2] / "examples"


def nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in (*node.shown, *node.more):
        yield from nodes(child)


@pytest.mark.parametrize("key", sorted(TEMPLATES))
def test_templates_are_valid_jobs(key: str) -> None:
    """Start from jobs that can be submitted as they are."""
    spec = JobSpec.model_validate(TEMPLATES[key].document)
    assert spec.name == key


@pytest.mark.parametrize("name", ["quickstart", "seed_five"])
def test_templates_are_the_examples(name: str) -> None:
    """Ship the same jobs as examples/ has."""
    shipped = TEMPLATES[name.replace("_", "-")].document
    assert shipped == yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text())


def test_form_shows_every_value() -> None:
    """Have a field with the value of everything that a document sets."""
    document = JobSpec.model_validate(TEMPLATES["hand-held"].document).model_dump(mode="json")
    shown = {node.pointer: node.value for node in nodes(form_of(document)) if node.value}

    def expected(value: object, pointer: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, dict):
            for name, part in value.items():
                yield from expected(part, f"{pointer}/{name}")
        elif isinstance(value, list):
            for i, part in enumerate(value):
                yield from expected(part, f"{pointer}/{i}")
        elif value is not None and not pointer.endswith(("/kind", "/spec_version")):
            yield pointer, str(value).lower()

    for pointer, text in expected(document, ""):
        assert shown[pointer].lower() == text


def test_form_has_every_kind_of_trajectory() -> None:
    """Offer all kinds that the schema knows, each with an example to start from."""
    trajectory = next(
        n for n in nodes(form_of(TEMPLATES["orbit"].document)) if n.pointer.endswith("/trajectory")
    )
    kinds = [value for value, _ in trajectory.options]
    assert {"orbital", "radial", "vertical", "spline", "recorded"} <= set(kinds)
    for kind in kinds:
        change = Edit(
            do="kind", pointer=trajectory.pointer, kind=kind, document=TEMPLATES["orbit"].document
        )
        JobSpec.model_validate(edited(change))
    assert set(kinds) <= set(KINDS)


def test_form_survives_a_wrong_document() -> None:
    """Show a form for a document that is no job, with what was typed where it fits."""
    document = {"segments": [3, {"trajectory": "orbit"}], "camera": 5, "seed": "x", "scene": None}
    values = {node.pointer: node.value for node in nodes(form_of(document))}
    assert values["/seed"] == "x"


def test_form_of_a_large_job_stays_small() -> None:
    """Show the first of many segments and say that there are more."""
    one = TEMPLATES["orbit"].document["segments"][0]
    document = {**TEMPLATES["orbit"].document, "segments": [one] * 900}
    listed = next(node for node in nodes(form_of(document)) if node.pointer == "/segments")
    assert len(listed.shown) == 100
    assert "900" in listed.help


def test_edits() -> None:
    """Add, change and remove parts, and leave the document that was given alone."""
    start = TEMPLATES["orbit"].document
    before = yaml.safe_dump(start)
    more = edited(Edit(do="add", pointer="/segments", kind="on", document=start))
    assert [s["segment_id"] for s in more["segments"]] == [0, 1]
    assert more["segments"][1]["name"] == "orbit-2"
    sensors = edited(Edit(do="add", pointer="/sensors", kind="event_camera", document=more))
    JobSpec.model_validate(sensors)
    fewer = edited(Edit(do="remove", pointer="/sensors/0", document=sensors))
    assert [s["kind"] for s in fewer["sensors"]] == ["spike_camera", "event_camera"]
    radius = "/segments/0/trajectory/radius"
    swinging = edited(Edit(do="kind", pointer=radius, kind="sine", document=start))
    assert swinging["segments"][0]["trajectory"]["radius"]["mean"] == 1.6
    steady = edited(Edit(do="kind", pointer=radius, kind="number", document=swinging))
    assert steady == start
    assert yaml.safe_dump(start) == before


def test_names_of_what_is_added() -> None:
    """Find a free name also where the first of several was removed, or a name is no text."""
    for held, free in (
        (["orbit-2"], "orbit-3"),
        (["orbit-2", "orbit-3"], "orbit-4"),
        (["orbit", "orbit-3"], "orbit-2"),
        ([["odd"], "orbit"], "orbit-2"),
        (["2024"], "2024-2"),
    ):
        document = {"segments": [{"name": name} for name in held]}
        more = edited(Edit(do="add", pointer="/segments", document=document))
        assert more["segments"][-1]["name"] == free


@pytest.mark.parametrize(
    "change",
    [
        {"do": "remove", "document": {}},
        {"do": "kind", "kind": "number", "document": {}},
        {"do": "kind", "kind": "orbital", "document": {}},
        {"do": "add", "kind": "on", "document": {}},
    ],
)
def test_edit_of_nothing(service: LocalService, change: dict[str, object]) -> None:
    """Refuse a change of the whole document."""
    assert service.http.post("/jobs/new/form", json=change).status_code == 400


def test_form_over_http(service: LocalService) -> None:
    """Answer a change with the new fields, YAML with its form, and nonsense with a refusal."""
    change = {"do": "add", "pointer": "/segments", "kind": "on", "document": tiny_job()}
    answer = service.http.post("/jobs/new/form", json=change)
    assert 'data-at="/segments/2"' in answer.text
    headers = {"Content-Type": "application/yaml"}
    as_form = service.http.post("/jobs/new/form", content="name: from-yaml", headers=headers)
    assert 'value="from-yaml"' in as_form.text
    back = service.http.post("/jobs/new/text", json=tiny_job())
    assert yaml.safe_load(back.text) == tiny_job()
    for wrong in ({**change, "pointer": "/camera/width/x"}, {**change, "do": "explode"}):
        assert service.http.post("/jobs/new/form", json=wrong).status_code == 400


@pytest.mark.parametrize(
    "text",
    [
        "name: !!binary aGVsbG8=",
        "name: !!set {a, b}",
        "name: !!timestamp 2024-01-01",
        "seed: .nan",
        "seed: 1e999",
        "1: 2",
        '{"name": "\\ud800"}',
        '{"name": ' + "[" * 600 + "]" * 600 + "}",
    ],
)
def test_form_of_what_json_cannot_say(service: LocalService, text: str) -> None:
    """Refuse a document that the page could not hold."""
    kind = "json" if text.startswith("{") else "yaml"
    headers = {"Content-Type": f"application/{kind}"}
    answer = service.http.post("/jobs/new/form", content=text, headers=headers)
    assert answer.status_code == 400


def test_form_of_dates_and_huge_numbers(service: LocalService) -> None:
    """Take a date for the name it may be, and show a job whose duration is no sensible number."""
    headers = {"Content-Type": "application/yaml"}
    dated = service.http.post("/jobs/new/form", content="name: 2024-01-31", headers=headers)
    assert 'value="2024-01-31"' in dated.text
    endless = {"segments": [{"duration": 10**400, "frame_rate": 30}]}
    assert service.http.post("/jobs/new/form", json=endless).status_code == 200


@pytest.mark.parametrize("path", ["/jobs/new/form", "/jobs/new/text"])
def test_refusals_of_the_form(service: LocalService, path: str) -> None:
    """Tell the form's script what is wrong in what it reads: a problem document."""
    headers = {"Content-Type": "application/yaml"}
    refused = service.http.post(path, content="name: [", headers=headers)
    assert "not valid YAML" in refused.json()["detail"]
    service.key("submit")
    assert service.http.post(path, json={}).json()["status"] == 401


def test_json_in_place_of_yaml(service: LocalService) -> None:
    """Take JSON with tabs where YAML or JSON may be typed."""
    headers = {"Content-Type": "application/yaml"}
    text = json.dumps(tiny_job(), indent="\t")
    assert service.http.post("/v1/jobs:validate", content=text, headers=headers).status_code == 200
    flow = service.http.post("/jobs/new/form", content="{name: flow}", headers=headers)
    assert 'value="flow"' in flow.text


def test_documents() -> None:
    """Put and take at pointers, making what is missing on the way."""
    assert put({}, "/a/b", 1) == {"a": {"b": 1}}
    assert put({"a": [{}, {}]}, "/a/1/b", 2) == {"a": [{}, {"b": 2}]}
    assert take_out({"a": [1, 2, 3]}, "/a/1") == {"a": [1, 3]}
    assert take_out({"a": 1}, "/b/c") == {"a": 1}
