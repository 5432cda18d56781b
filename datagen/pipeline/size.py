"""Bounds of the bytes that a job needs, from its spec alone."""

from __future__ import annotations

from schemas.job import JobSpec
from schemas.sensor import SpikeCameraSpec

FRAME_BYTES_PER_PIXEL = 11
"""rgb 3, luminance 2, depth 4, instance 2: what a sealed frame holds without its streams."""


def raw_bytes(spec: JobSpec) -> int:
    """Bytes of all frames and spikes before compression, without events and flow."""
    pixels = spec.camera.width * spec.camera.height
    frames = sum(segment.frame_count for segment in spec.segments)
    seconds = sum(segment.duration for segment in spec.segments)
    polls = seconds * sum(s.rate_hz for s in spec.sensors if isinstance(s, SpikeCameraSpec))
    return int(pixels * (frames * FRAME_BYTES_PER_PIXEL + polls / 8))


def least_bytes(spec: JobSpec) -> int:
    """A lower bound of the bytes that a job needs: a third of its raw frames and spikes."""
    return raw_bytes(spec) // 3
