"""Spikes -> a Spike-Zoo data set: clips, each with the sharp picture of its middle poll.

    <split>/spike/<segment>_<frame>.dat     the polls around a labelled frame
    <split>/gt/<segment>_<frame>.png        that frame's luminance, 8-bit, linear, white = 255

Of P polls, poll P // 2 is the first that ends after the frame. The picture is linear because spikes
are: the rate of a pixel is `alpha` spikes per poll at white, so a reconstruction divided by alpha
(`rate` in Spike-Zoo's settings) is to be compared with the picture divided by 255.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from datagen.dataset import Segment, SpikeStream
from datagen.errors import InputError
from datagen.export.spike_dat import check_whole_bytes, write_spike_dat
from datagen.export.whole_file import clear_series, write_whole
from schemas.export import SpikeZooExportSpec


def write_spikezoo(
    segment: Segment, spikes: SpikeStream, spec: SpikeZooExportSpec, folder: Path, stem: str
) -> list[Path]:
    """Write all clips of a segment that fit into it; returns the files.

    Raises:
        InputError: no clip fits, or H W is not a multiple of 8.
        DatasetError: the segment cannot be read.
    """
    check_whole_bytes(spikes)
    clips = list(_clips(spikes, spec.polls))
    if not clips:
        raise InputError(
            f"{segment.path}: {spikes.group} has {len(spikes)} polls and no frame with "
            f"{spec.polls // 2} of them on either side; ask for fewer polls per clip than {spec.polls}."
        )
    files, where = [], folder / segment.split
    for kind in ("spike", "gt"):
        clear_series(where / kind, rf"{re.escape(stem)}_\d{{6}}\.(dat|png)")
    for frame, start in clips:
        name = f"{stem}_{frame:06d}"
        clip = partial(write_spike_dat, spikes=spikes, start=start, stop=start + spec.polls)
        picture = partial(_write_picture, light=segment.luminance(frame))
        files.append(write_whole(where / "spike" / f"{name}.dat", clip))
        files.append(write_whole(where / "gt" / f"{name}.png", picture))
    return files


def _write_picture(path: Path, light: NDArray[np.float32]) -> None:
    levels = np.rint(255 * np.clip(light, 0.0, 1.0)).astype(np.uint8)
    Image.fromarray(levels).save(path, "PNG")


def _clips(spikes: SpikeStream, polls: int) -> Iterator[tuple[int, int]]:
    """Frames and the first poll of the clip around each."""
    for frame, middle in enumerate(spikes.frame_to_poll.tolist()):
        start = middle - polls // 2
        if start >= 0 and start + polls <= len(spikes):
            yield frame, start
