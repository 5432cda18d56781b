"""Events of every pixel in one interval between two pictures, in plain Python: the specification.

Log light is linear between two pictures. A pixel's voltage u is log light itself, or what one or
two low-pass stages make of it, plus leakage, which rises steadily. The pixel remembers a reference
level R; when u has moved from it by a threshold C, R moves by C and an event is sent, as often as u
allows. Without low-pass and leakage, with L for log light, the k-th crossing is at

    t = t0 + (R +- k C - L0) (t1 - t0) / (L1 - L0)

(Rebecq, Gehrig and Scaramuzza, "ESIM: an open event camera simulator", CoRL 2018). Shot noise sends
an event and sets R to u. An event closer than the refractory period to the pixel's last one is not
sent, its R moves all the same. Stamps are rounded up to whole microseconds.

`clean_interval` is the pixel of `clean_kernel`, exact in float64; `noisy_interval` that of
`noisy_kernel`, which keeps states in float32 from picture to picture and solves in float64.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from datagen.sensors.elementary import GENTLE, decayed_f32, fma, mean_decay_f32
from datagen.sensors.events.noisy_struck import EARLY, NOISY_TIE
from datagen.sensors.events.tiles import STAMP_SLACK_US, TIE
from schemas.arrays import EventArray

Path = Callable[[float], float]
Found = tuple[float, bool, bool]
"""Time as a fraction of the interval, brighter, caused by shot noise."""
HALVINGS = 60
fused = np.vectorize(njit(lambda a, b, c: fma(a, b, c)), otypes=[np.float32])
"""a b + c in float32, rounded once."""


def clean_interval(
    log_before: NDArray[np.float64],
    log_after: NDArray[np.float64],
    *,
    t0: int,
    t1: int,
    reference: NDArray[np.float64],
    last_event: NDArray[np.int64],
    threshold_on: NDArray[np.float64],
    threshold_off: NDArray[np.float64],
    refractory_us: int = 0,
) -> tuple[NDArray[np.float64], NDArray[np.int64], EventArray]:
    """Events in (t0, t1].

    Args:
        log_before: log light at t0, shape (H, W).
        log_after: log light at t1, shape (H, W).
        t0: [us].
        t1: [us].
        reference: level R at t0, shape (H, W).
        last_event: time of each pixel's last event [us], shape (H, W).
        threshold_on: [log units], shape (H, W).
        threshold_off: [log units], shape (H, W).
        refractory_us: dead time [us].

    Returns:
        R at t1, time of the last event, and the events ordered by time, then row, then column.
    """
    reference, last_event = reference.copy(), last_event.copy()
    events = []
    for y, x in np.ndindex(reference.shape):
        moved = log_after[y, x] - reference[y, x]
        step = threshold_on[y, x] if moved >= 0 else threshold_off[y, x]
        crossings = math.floor(abs(moved) / step + TIE)
        sign = 1 if moved >= 0 else -1
        for k in range(1, crossings + 1):
            us_per_unit = (t1 - t0) / (log_after[y, x] - log_before[y, x])
            start = (reference[y, x] - log_before[y, x]) * us_per_unit
            t = t0 + _whole(float(start + k * (sign * step * us_per_unit)), t1 - t0)
            if t - last_event[y, x] >= refractory_us:
                last_event[y, x] = t
                events.append((t, y, x, k, sign > 0, False))
        reference[y, x] += crossings * sign * step
    return reference, last_event, _columns(events)


@dataclass(frozen=True, kw_only=True)
class NoisyState:
    """What noisy pixels know between two pictures, each (H, W)."""

    lag: NDArray[np.float32]
    """Input minus output of the first stage [log units]."""
    lag_2: NDArray[np.float32]
    """The same of the second stage; zeros without one."""
    reference: NDArray[np.float32]
    """R without leakage since its common start [log units]."""
    last_event: NDArray[np.int64]
    """[us]."""


def noisy_interval(
    log_before: NDArray[np.float32],
    log_after: NDArray[np.float32],
    rate: NDArray[np.float32],
    *,
    t0: int,
    t1: int,
    order: int,
    state: NoisyState,
    leak: NDArray[np.float32],
    leak_elapsed: tuple[np.float32, np.float32],
    threshold_on: NDArray[np.float32],
    threshold_off: NDArray[np.float32],
    shots: dict[tuple[int, int], list[tuple[float, bool]]],
    refractory_us: int = 0,
) -> tuple[NoisyState, EventArray]:
    """Events in (t0, t1], labelled.

    Args:
        log_before: log light at t0, shape (H, W).
        log_after: log light at t1, shape (H, W).
        rate: X = 2 pi corner (t1 - t0), infinite without low-pass, shape (H, W).
        t0: [us].
        t1: [us].
        order: low-pass stages, 1 or 2.
        state: at t0.
        leak: [log units/us], shape (H, W).
        leak_elapsed: time since leakage's common start at t0 and t1 [us].
        threshold_on: [log units], shape (H, W).
        threshold_off: [log units], shape (H, W).
        shots: noise events by (row, column): time as a fraction of the interval, brighter.
        refractory_us: dead time [us].

    Returns:
        The state at t1, and the events ordered by time, then row, then column.
    """
    change = log_after - log_before
    lag, lag_2 = _filtered(change, rate, order, state)
    before = _less(log_before, state.lag, state.lag_2, state.reference)
    after = _less(log_after, lag, lag_2, state.reference)
    reference, last_event = state.reference.copy(), state.last_event.copy()
    events = []
    for y, x in np.ndindex(change.shape):
        here = y, x
        leaked = [float(leak[here]) * float(elapsed) for elapsed in leak_elapsed]
        u, slope, bend = _path(
            start=float(before[here]) + leaked[0],
            change=float(change[here]),
            leaked=leaked[1] - leaked[0],
            rate=float(rate[here]),
            lags=[float(state.lag[here]), float(state.lag_2[here])][:order],
        )
        end = float(after[here]) + leaked[1]
        thresholds = float(threshold_on[here]), float(threshold_off[here])
        turns = _turns(slope, bend)
        found, shift = _crossings(u, turns, end, thresholds, shots.get(here, []))
        reference[here] = np.float32(float(reference[here]) + shift)
        for k, (sigma, up, noise) in enumerate(found):
            t = t0 + _whole(sigma * (t1 - t0), t1 - t0)
            waited = t - last_event[here]
            if waited >= refractory_us:
                last_event[here] = t
                leaked_here = up and bool(float(leak[here]) * waited > 0.5 * thresholds[0])
                events.append((t, y, x, k, up, noise or leaked_here))
    new = NoisyState(lag=lag, lag_2=lag_2, reference=reference, last_event=last_event)
    return new, _columns(events)


def _filtered(
    change: NDArray[np.float32], rate: NDArray[np.float32], order: int, state: NoisyState
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Lags at the end of the interval."""
    decayed = np.vectorize(decayed_f32, otypes=[np.float32])(rate)
    gentle = np.vectorize(mean_decay_f32, otypes=[np.float32])(np.minimum(rate, GENTLE))
    faded = np.where(rate <= GENTLE, rate * gentle, decayed)
    share = np.where(rate <= GENTLE, gentle, faded / rate)
    lag = fused(change, share, fused(-state.lag, faded, state.lag))
    if order == 1:
        return lag, state.lag_2
    settled = change / rate
    rest = (state.lag_2 - settled) + (state.lag - settled) * rate
    return lag, settled + rest * (np.float32(1) - decayed)


def _less(level: NDArray[np.float32], *others: NDArray[np.float32]) -> NDArray[np.float64]:
    """One field less others."""
    return np.subtract.reduce([np.asarray(field, np.float64) for field in (level, *others)])


def _path(
    *, start: float, change: float, leaked: float, rate: float, lags: list[float]
) -> tuple[Path, Path, float]:
    """u and its slope as functions of the fraction of the interval, and where the slope turns."""
    if math.isinf(rate):
        return lambda s: start + (change + leaked) * s, lambda _: change + leaked, 1.0
    settled = change / rate
    excess = [lag - settled for lag in lags]

    def risen(s: float) -> float:
        """By how much the lags have fallen."""
        faded = -math.expm1(-rate * s)
        coupled = excess[0] * rate * s * (1.0 - faded) if len(lags) == 2 else 0.0
        return sum(excess) * faded - coupled

    def u(s: float) -> float:
        return start + (change + leaked) * s + risen(s)

    def slope(s: float) -> float:
        coupled = excess[0] * rate * s if len(lags) == 2 else 0.0
        return leaked + rate * (settled + (excess[-1] + coupled) * math.exp(-rate * s))

    if len(lags) == 1 or excess[0] == 0.0:
        return u, slope, 1.0
    return u, slope, (excess[0] - excess[1]) / (excess[0] * rate)


def _crossings(
    u: Path,
    turns: list[float],
    end: float,
    thresholds: tuple[float, float],
    shots: list[tuple[float, bool]],
) -> tuple[list[Found], float]:
    """Events of one pixel in order, and its R at the end."""
    stops = sorted([*((s, None) for s in turns), *shots, (1.0, None)], key=lambda stop: stop[0])
    found: list[Found] = []
    reference = at = 0.0
    for stop, struck in stops:
        height = u(stop) if stop < 1.0 else end
        up = height >= reference
        step = thresholds[0] if up else -thresholds[1]
        for _ in range(math.floor((height - reference) / step + NOISY_TIE)):
            reference += step
            level = reference - EARLY * step
            at = _first(lambda s: (u(s) >= level) if up else (u(s) <= level), at, stop)  # noqa: B023 - used at once
            found.append((at, up, False))
        if struck is not None:
            found.append((stop, struck, True))
            reference = height
        at = stop
    return found, reference


def _turns(slope: Path, bend: float) -> list[float]:
    """Where the slope, monotone on either side of `bend`, changes its sign."""
    edges = [0.0, bend, 1.0] if 0.0 < bend < 1.0 else [0.0, 1.0]
    found = []
    for start, stop in itertools.pairwise(edges):
        rises = slope(stop) > 0.0
        if (slope(start) > 0.0) != rises:
            found.append(_first(lambda s: (slope(s) > 0.0) == rises, start, stop))  # noqa: B023 - used at once
    return found


def _first(test: Callable[[float], bool], start: float, stop: float) -> float:
    """The first instant after start at which a test holds, at most stop."""
    for _ in range(HALVINGS):
        middle = 0.5 * (start + stop)
        start, stop = (start, middle) if test(middle) else (middle, stop)
    return 0.5 * (start + stop)


def _whole(at: float, duration: int) -> int:
    return min(max(math.ceil(at - STAMP_SLACK_US), 1), duration)


def _columns(events: list[tuple[int, int, int, int, bool, bool]]) -> EventArray:
    table = np.array(sorted(events), np.int64).reshape(-1, 6)

    def column(index: int, dtype: type) -> NDArray[Any]:
        return table[:, index].astype(dtype)

    return EventArray(
        t=column(0, np.int64), x=column(2, np.uint16), y=column(1, np.uint16),
        p=column(4, np.uint8), noise=column(5, np.uint8),
    )  # fmt: skip
