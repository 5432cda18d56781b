"""`omni.timeline`: only what the worker touches."""

from __future__ import annotations


class Timeline:
    def set_looping(self, value: bool) -> None:
        self.looping = value

    def stop(self) -> None:
        self.playing = False


_TIMELINE = Timeline()


def get_timeline_interface() -> Timeline:
    return _TIMELINE
