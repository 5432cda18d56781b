"""How far something is, on standard error: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator, Sequence
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from tqdm import tqdm

BAR = (
    "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} "
    "[{elapsed}<{remaining}, {rate_fmt}{postfix}]"
)
LINE_SECONDS = 30.0
"""Between two lines of a log."""
DELAY = 1e-3
"""Keeps an empty bar away from the message of what is refused before anything is done [s]."""

Item = TypeVar("Item")


class Bar(Protocol):
    """What a terminal and a log have in common; `n` may be set, too."""

    n: Any

    def update(self, n: float = 1, /) -> object:
        """So much more is done."""

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> object:
        """Show a text behind the numbers."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> object:
        """Show the last state."""


class LogLines:
    """A line every `LINE_SECONDS`, and one at the end when something was done."""

    def __init__(
        self,
        total: float,
        *,
        name: str,
        form: str,
        clock: Callable[[], float] = time.monotonic,
        **units: Any,
    ) -> None:
        self.n: float = 0
        self._told: float = 0
        self._text = ""
        self._clock = clock
        self._begin = self._last = clock()
        self._fixed = {**units, "total": total, "prefix": name, "bar_format": form}

    def update(self, n: float = 1) -> None:
        """So much more is done; writes a line when it is time."""
        self.n += n
        if self._clock() - self._last >= LINE_SECONDS:
            self._write()

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> None:
        """Put a text behind the numbers of the next line; `refresh` asks whether it is time."""
        self._text = s
        if refresh:
            self.update(0)

    def _write(self) -> None:
        self._last, self._told = self._clock(), self.n
        line = tqdm.format_meter(
            self.n, elapsed=self._last - self._begin, postfix=self._text, **self._fixed
        )
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.n != self._told:
            self._write()


def progress_bar(
    total: float, *, name: str, shown: bool = True, form: str = BAR, **units: Any
) -> Bar:
    """Progress towards a total.

    Args:
        total: of what `n` counts.
        name: first words of the bar or line.
        shown: False draws and writes nothing.
        form: see tqdm's `bar_format`.
        units: `unit` and `unit_scale` of tqdm.
    """
    if shown and not sys.stderr.isatty():
        return LogLines(total, name=name, form=form.replace("|{bar}|", ","), **units)
    return tqdm(
        total=total, desc=name, disable=not shown, smoothing=0.1, delay=DELAY, bar_format=form,
        **units,
    )  # fmt: skip


def counted(items: Sequence[Item], *, name: str, unit: str, shown: bool) -> Generator[Item]:
    """The items one by one, with progress; close it to end the bar early."""
    with progress_bar(len(items), name=name, unit=unit, shown=shown) as bar:
        for item in items:
            yield item
            bar.update()
