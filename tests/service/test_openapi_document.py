"""The OpenAPI document is complete, its examples hold, and three traps of validation stay shut."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from service_kit import LocalService, make_settings, serving
from tiny_job import tiny_job

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    with serving(make_settings(tmp_path_factory.mktemp("service") / "data")) as local:
        yield local


def operations(api: LocalService) -> Iterator[tuple[str, dict[str, Any]]]:
    paths = api.http.get("/openapi.json").json()["paths"]
    for path, methods in paths.items():
        for method, told in methods.items():
            yield f"{method.upper()} {path}", told


def test_operations_are_named_for_generated_clients(api: LocalService) -> None:
    """Name every operation once, as a method of a client would be called, and say what it takes."""
    names = [told["operationId"] for _, told in operations(api)]
    assert len(set(names)) == len(names)
    assert not [name for name in names if "_v1_" in name]
    for name, told in operations(api):
        for parameter in told.get("parameters", []):
            assert parameter["in"] == "path" or parameter["description"], (name, parameter["name"])


def test_every_endpoint_has_examples(api: LocalService) -> None:
    """Show an example of every body that is sent or answered, and of every part of an address."""
    for name, told in operations(api):
        answers = [*told["responses"].values(), told.get("requestBody", {})]
        for kind, content in ((k, c) for a in answers for k, c in a.get("content", {}).items()):
            binary = content.get("schema", {}).get("format") == "binary"
            assert binary or "example" in content, (name, kind)
        for parameter in told.get("parameters", []):
            given = {"example", "examples"} & {*parameter, *parameter["schema"]}
            assert given or not parameter["required"], (name, parameter["name"])


def test_examples_are_valid(api: LocalService) -> None:
    """Give examples that the schema beside them accepts."""
    document = api.http.get("/openapi.json").json()
    for name, told in operations(api):
        for answer in [*told["responses"].values(), told.get("requestBody", {})]:
            content = answer.get("content", {}).get("application/json", {})
            if "example" in content:
                schema = {**content["schema"], "components": document["components"]}
                found = Draft202012Validator(schema).iter_errors(content["example"])
                assert [fault.message for fault in found] == [], name


def test_the_job_example_can_be_submitted(api: LocalService) -> None:
    """Take the example of a job, as JSON and as YAML."""
    (told,) = (told for name, told in operations(api) if name == "POST /v1/jobs")
    for kind, content in told["requestBody"]["content"].items():
        example = content["example"]
        body = example if isinstance(example, str) else json.dumps(example)
        answer = api.http.post("/v1/jobs", content=body, headers={"Content-Type": kind})
        assert answer.status_code == 202, answer.text


def test_wrong_methods_are_told_the_right_ones(api: LocalService) -> None:
    """Name every method that an address takes, and no other, to who sends another."""
    paths = api.http.get("/openapi.json").json()["paths"]
    expected = {path: {method.upper() for method in methods} for path, methods in paths.items()}
    expected |= {"/login": {"GET", "POST"}, "/static/datagen.css": {"GET", "HEAD"}}
    for path, methods in expected.items():
        answer = api.http.patch(path)
        assert answer.status_code == 405, path
        assert set(answer.headers["Allow"].split(", ")) == methods, path
        assert answer.json()["detail"] == f"this address takes {answer.headers['Allow']}"


def trajectory(**fields: Any) -> dict[str, Any]:
    segment = {"segment_id": 0, "duration": 0.2, "frame_rate": 20.0}
    return tiny_job(segments=[{**segment, "trajectory": {"kind": "orbital", **fields}}])


@pytest.mark.parametrize(
    "value",
    ["Infinity", "-Infinity", "NaN", '"3"', "true", "null", "1e400", "1" * 400],
    ids=lambda value: value[:9],
)
def test_numbers_are_numbers(api: LocalService, value: str) -> None:
    """Refuse with 422 what is no finite number, without repeating it: JSON cannot say it."""
    body = json.dumps(trajectory(radius=12345)).replace("12345", value)
    answer = api.http.post("/v1/jobs", content=body, headers=JSON)
    assert answer.status_code == 422, answer.text
    pointers = [fault["pointer"] for fault in answer.json()["errors"]]
    assert pointers == ["/segments/0/trajectory/radius"]


def test_lists_and_whole_numbers_are_taken(api: LocalService) -> None:
    """Take JSON lists for vectors, strings for choices, and 3 for 3.0, strict as the rest is."""
    job = trajectory(radius=3, center=[0, 0.5, 0.0])
    answer = api.http.post("/v1/jobs:validate", json=job)
    assert answer.status_code == 200, answer.text


def test_a_faulty_item_is_the_only_fault(api: LocalService) -> None:
    """Name the faulty item of a list, and not also that the list is too short."""
    job = trajectory()
    job["segments"][0]["duration"] = -1.0
    faults = api.http.post("/v1/jobs:validate", json=job).json()["errors"]
    assert [fault["pointer"] for fault in faults] == ["/segments/0/duration"]
    assert "at least" not in faults[0]["detail"]
