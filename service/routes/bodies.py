"""Bodies that are jobs: how they are read, and how OpenAPI describes them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from schemas.job import JobSpec
from service.errors import Fault, NotFound
from service.ledger import assets
from service.ledger.database import Database
from service.ledger.keys import Caller
from service.settings import Settings
from service.submission import (
    file_uses,
    invalid,
    parse_spec,
    read_document,
    refuse_too_large,
)

EXAMPLE: dict[str, Any] = {
    "name": "first-orbit",
    "seed": 1,
    "scene": {"kind": "preset", "preset": "tabletop", "seed": 1},
    "camera": {"width": 128, "height": 96, "horizontal_fov_deg": 60.0},
    "sensors": [{"kind": "event_camera", "name": "events", "threshold_on": 0.15}],
    "segments": [
        {
            "segment_id": 0,
            "name": "orbit",
            "duration": 2.0,
            "frame_rate": 25.0,
            "trajectory": {"kind": "orbital", "radius": 1.6, "height": 0.8},
        }
    ],
}
EXAMPLE_YAML = """\
name: first-orbit
scene: {kind: preset, preset: tabletop, seed: 1}
camera: {width: 128, height: 96, horizontal_fov_deg: 60.0}
sensors: [{kind: event_camera, threshold_on: 0.15}]
segments:
  - {segment_id: 0, name: orbit, duration: 2.0, frame_rate: 25.0, trajectory: {kind: orbital}}
"""
SPEC_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/JobSpec"},
                "example": EXAMPLE,
            },
            "application/yaml": {
                "schema": {"$ref": "#/components/schemas/JobSpec"},
                "example": EXAMPLE_YAML,
            },
        },
    }
}


@dataclass(frozen=True, slots=True)
class JobBody:
    """A job as it came, and as it was understood."""

    spec: JobSpec
    sha256: str
    """Of the spec with all defaults written out: what makes two requests the same."""
    uploads: list[str]
    """Ids of the uploads that it names."""


async def read_job(request: Request, settings: Settings) -> JobBody:
    """The job in a request's body.

    Raises:
        Unreadable, UnsupportedMedia, TooLarge: the body is no document.
        Invalid: with a pointer to every fault.
    """
    body = await request.body()
    document = read_document(body, request.headers.get("content-type", ""))
    spec = parse_spec(document)
    refuse_too_large(spec, settings)
    uploads = sorted({use.asset_id for use in file_uses(spec)})
    return JobBody(spec, hashlib.sha256(spec.canonical_json().encode()).hexdigest(), uploads)


def find_uploads(database: Database, body: JobBody, who: Caller) -> list[tuple[str, str]]:
    """(upload, file) of everything that a job may read.

    Raises:
        Invalid: it names an upload or a file that the caller does not have.
    """
    found: set[tuple[str, str]] = set()
    faults = []
    with database.read() as connection:
        for asset_id in body.uploads:
            try:
                assets.find(connection, asset_id, who.owner)
            except NotFound:
                continue
            found |= {(asset_id, file.name) for file in assets.files_of(connection, asset_id)}
    for use in file_uses(body.spec):
        if (use.asset_id, use.name) not in found:
            faults.append(Fault(use.pointer, f"you have no upload with {use.asset_id}/{use.name}"))
    if faults:
        raise invalid(tuple(faults))
    return sorted(found)
