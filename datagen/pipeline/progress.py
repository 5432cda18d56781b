"""What a person sees of a running job: a bar, and at the end where everything lies and what it took."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from datagen.pipeline.job import finished_manifest
from datagen.pipeline.layout import PREVIEWS
from datagen.progress_bar import progress_bar
from schemas.dataset import CARD
from schemas.job import JobSpec

CARD_TEXT = "card.md"
SHOWN = 5
"""Warnings that are printed; the card has all."""


class JobProgress:
    """Takes workers' reports, shows progress on standard error, adds up seconds per stage."""

    def __init__(self, spec: JobSpec, *, quiet: bool = False) -> None:
        self.seconds: Counter[str] = Counter()
        self.pictures = 0
        self.notes: dict[str, None] = {}
        total = sum(segment.frame_count for segment in spec.segments)
        self._bar = progress_bar(total, name=spec.name, unit="frame", shown=not quiet)

    def __enter__(self) -> JobProgress:
        self._bar.__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        self._bar.__exit__(*raised)

    def __call__(self, _index: int, report: dict[str, Any]) -> None:
        """Take one report of a worker."""
        event: str = report["event"]
        match event:
            case "frame":
                self.pictures += int(report["pictures"])
                self._bar.set_postfix_str(f"{self.pictures:,} pictures", refresh=False)
                self._bar.update(1)
            case "resumed":
                self._bar.update(int(report["frames"]))
            case "opened":
                self.notes.update(dict.fromkeys(report["notes"]))
            case "finished":
                self.seconds.update(report["seconds"])
            case _:
                pass  # checks and seals are for a service, which hears that the worker lives

    def summary(self, out: Path) -> dict[str, Any]:
        """Counts of the finished dataset and worker seconds per stage of this run."""
        manifest = finished_manifest(out)
        segments = manifest.segments if manifest else []
        streams = [stream for segment in segments for stream in segment.streams]
        return {
            "dataset": str(out),
            "frames": sum(s.frames for s in segments),
            "sub_frames": sum(s.sub_frames for s in segments),
            "events": sum(s.count for s in streams if s.polls is None),
            "spikes": sum(s.count for s in streams if s.polls is not None),
            "bytes": sum(s.size for s in segments),
            "stage_seconds": {name: round(s, 2) for name, s in self.seconds.most_common()},
            "notes": list(self.notes),
            "warnings": _warnings(out),
        }

    def describe(self, out: Path) -> str:
        """The summary as text."""
        summary = self.summary(out)
        total = sum(self.seconds.values()) or 1.0
        stages = [
            f"  {s:9.1f} s  {100 * s / total:3.0f} %  {n}" for n, s in self.seconds.most_common()
        ]
        notes = [f"  {note}" for note in summary["notes"]]
        warnings = [f"  {warning}" for warning in summary["warnings"][:SHOWN]]
        if hidden := len(summary["warnings"]) - len(warnings):
            warnings.append(f"  and {hidden} more in {out / CARD_TEXT}")
        return "\n".join(
            [
                f"{out}: {summary['frames']:,} frames, {summary['sub_frames']:,} pictures, "
                f"{summary['events']:,} events, {summary['spikes']:,} spikes, {summary['bytes']:,} bytes",
                *(["worker time per stage:", *stages] if stages else ["nothing was left to do"]),
                *(["not rendered:", *notes] if notes else []),
                *(["warnings:", *warnings] if warnings else []),
                f"look at {out / PREVIEWS} and {out / CARD_TEXT}",
            ]
        )


def _warnings(out: Path) -> list[str]:
    """What the card of a dataset warns of."""
    card = out / CARD
    found: list[str] = json.loads(card.read_text())["warnings"] if card.is_file() else []
    return found
