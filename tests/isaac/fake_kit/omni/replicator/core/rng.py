"""`rep.rng`."""

from __future__ import annotations

import numpy as np


class ReplicatorRNG:
    def __init__(self, seed: int | None = None) -> None:
        self.generator = np.random.default_rng(seed)
