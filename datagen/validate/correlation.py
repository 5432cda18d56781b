"""Correlation of two quantities that come picture by picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float64]

LEAST = 0.2
"""A stream that follows light has more, whatever its noise."""


class Correlation:
    """Pearson's coefficient over all pixels of all pictures added."""

    def __init__(self) -> None:
        self._moments = np.zeros(6)
        """n, sums of x, y, x^2, y^2, x y."""

    def add(self, x: Picture, y: Picture) -> None:
        """Add the pixels of two pictures of one shape."""
        self._moments += [x.size, x.sum(), y.sum(), (x * x).sum(), (y * y).sum(), (x * y).sum()]

    @property
    def variance_of_x(self) -> float:
        """Variance of the first quantity."""
        n, x, _, xx, _, _ = self._moments
        return float(xx / n - (x / n) ** 2)

    @property
    def value(self) -> float:
        """The coefficient; 0 where one of the two does not vary."""
        n, x, y, _, yy, xy = self._moments
        spread = np.sqrt(self.variance_of_x * (yy / n - (y / n) ** 2))
        return float((xy / n - x * y / n**2) / spread) if spread > 0 else 0.0
