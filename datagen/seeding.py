"""Random streams that depend on the job seed, the segment and the stage, and on nothing else."""

from __future__ import annotations

import zlib

import numpy as np


def seed_sequence(job_seed: int, segment_id: int, stage: str) -> np.random.SeedSequence:
    """The seed of one stage of one segment; stages are told apart by name."""
    return np.random.SeedSequence(job_seed, spawn_key=(segment_id, zlib.crc32(stage.encode())))


def rng_for(job_seed: int, segment_id: int, stage: str) -> np.random.Generator:
    """A generator for one stage of one segment."""
    return np.random.default_rng(seed_sequence(job_seed, segment_id, stage))


def key_for(job_seed: int, segment_id: int, stage: str) -> int:
    """A 64-bit key for counter-based randomness."""
    return int(seed_sequence(job_seed, segment_id, stage).generate_state(1, np.uint64)[0])
