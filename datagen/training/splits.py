"""Which segments train, validate and test: as their job says, or by rules of the run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from datagen.dataset import Segment
from schemas.base import Spec, Split
from schemas.scene import UsdScene


class SplitRule(Spec):
    """Gives the segments that match both patterns a split; `*` stands for any characters."""

    segment: str = "*"
    """Pattern of the segment's name."""
    scene: str = "*"
    """Pattern of its scene: `<preset>/<seed>`, such as `room/8`, or the path of the stage."""
    split: Split


def split_of(segment: Segment, rules: Iterable[SplitRule]) -> Split:
    """The split of the first rule that matches; without one, the segment's own."""
    for rule in rules:
        if fnmatchcase(segment.name, rule.segment) and (
            rule.scene == "*" or fnmatchcase(scene_label(segment), rule.scene)
        ):
            return rule.split
    return segment.split


def in_split(
    segments: Iterable[Segment], split: Split, rules: Sequence[SplitRule]
) -> list[Segment]:
    """The segments of a split, in order."""
    return [segment for segment in segments if split_of(segment, rules) == split]


def scene_label(segment: Segment) -> str:
    """`<preset>/<seed>`, or the path of the stage.

    Raises:
        DatasetError: the segment is a recording, whose scene is not known.
    """
    spec = segment.spec
    found = next(one for one in spec.segments if one.segment_id == segment.segment_id)
    scene = spec.scene_of(found)
    return scene.path if isinstance(scene, UsdScene) else f"{scene.preset}/{scene.seed}"
