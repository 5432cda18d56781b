"""A centred picture that holds the one asked for: renderers disagree about principal points.

Isaac Sim's renderer knows square pixels and a principal point in the middle; of an aperture offset
three conventions are in use. So a larger centred picture is rendered and cropped, which is exact:
with left columns before and right columns after ours, cx + left = (width + left + right) / 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from datagen.errors import SpecError
from schemas.camera import Intrinsics


@dataclass(frozen=True, slots=True)
class Framing:
    """The picture that is rendered, and where ours lies in it."""

    camera: Intrinsics
    """Of the rendered picture."""
    left: int
    top: int
    wanted: Intrinsics

    def size(self, oversample: int) -> tuple[int, int]:
        """Columns and rows to render."""
        return self.camera.width * oversample, self.camera.height * oversample

    def crop(self, pictures: NDArray[Any], oversample: int) -> NDArray[Any]:
        """Our part of pictures (N, H, W, ...)."""
        top, left = self.top * oversample, self.left * oversample
        rows, columns = self.wanted.height * oversample, self.wanted.width * oversample
        return pictures[:, top : top + rows, left : left + columns]


def framing_of(camera: Intrinsics) -> Framing:
    """The smallest centred picture around the one asked for.

    Raises:
        SpecError: pixels are not square, or the principal point is not on a half pixel.
    """
    if abs(camera.fx - camera.fy) > 1e-9 * camera.fx:
        raise SpecError(
            f"camera: fx is {camera.fx} and fy {camera.fy}; expected equal focal lengths, as Isaac "
            "Sim's pinhole has square pixels. Leave fy out, or use the embedded renderer"
        )
    left, right = _margins("cx", camera.cx, camera.width)
    top, bottom = _margins("cy", camera.cy, camera.height)
    width, height = left + camera.width + right, top + camera.height + bottom
    whole = Intrinsics(width, height, camera.fx, camera.fy, width / 2, height / 2)
    return Framing(camera=whole, left=left, top=top, wanted=camera)


def _margins(name: str, centre: float, length: int) -> tuple[int, int]:
    beyond = 2 * centre - length
    whole = round(beyond)
    if abs(beyond - whole) > 1e-9:
        raise SpecError(
            f"camera: {name} is {centre}; expected a multiple of half a pixel, as Isaac Sim's "
            f"pictures are centred and cropped. Use {name} = {(whole + length) / 2}"
        )
    return max(-whole, 0), max(whole, 0)
