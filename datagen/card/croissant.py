"""Croissant metadata (MLCommons, format 1.0): the dataset as machines search for it."""

from __future__ import annotations

from typing import Any

from schemas.dataset import DatasetCard, DatasetManifest

_TERMS = (
    "citeAs", "column", "extract", "field", "fileProperty", "fileObject", "fileSet", "format",
    "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet",
    "references", "regex", "repeated", "replace", "separator", "source", "subField", "transform",
)  # fmt: skip
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in _TERMS},
}


def croissant(card: DatasetCard, manifest: DatasetManifest) -> dict[str, Any]:
    """JSON-LD that names, licenses and verifies every segment file."""
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": card.name,
        "description": _description(card),
        "license": card.licence,
        "version": f"{manifest.format_version}.0",
        "keywords": ["event camera", "spike camera", "optical flow", "synthetic"],
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": entry.file,
                "name": entry.file,
                "description": f"Segment {entry.segment_id}, split {entry.split}.",
                "contentUrl": entry.file,
                "contentSize": f"{entry.size} B",
                "encodingFormat": "application/x-hdf5",
                "sha256": entry.sha256,
            }
            for entry in manifest.segments
        ],
    }


def _description(card: DatasetCard) -> str:
    frames = sum(segment.frames for segment in card.segments)
    kinds = sorted({stream.kind for segment in card.segments for stream in segment.streams})
    streams = " and ".join(kind.replace("_", " ") for kind in kinds) or "no sensor"
    return (
        f"Synthetic recording of {len(card.segments)} camera paths, {frames} frames: RGB, depth, "
        f"instance ids, exact optical flow, camera pose, and {streams} streams on one clock."
    )
