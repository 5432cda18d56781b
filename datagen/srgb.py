"""The curve of sRGB, IEC 61966-2-1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def to_linear(code: NDArray[np.floating]) -> NDArray[np.floating]:
    """Linear light of codes, 1 = white: c / 12.92 up to 0.04045, ((c + 0.055) / 1.055)^2.4 above."""
    return np.where(code <= 0.04045, code / 12.92, ((np.maximum(code, 0) + 0.055) / 1.055) ** 2.4)
