"""Values of attributes in the type that is needed. A stage may declare any type for any name."""

from __future__ import annotations

from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from pxr import Sdf, Usd

from datagen.errors import SceneError

Value = float | str | tuple[float, ...]
Kind = TypeVar("Kind", bound=Value)


def value_of(attribute: Usd.Attribute | None, time: Usd.TimeCode, default: Kind) -> Kind:
    """The value in the type of `default`, which stands in when there is none.

    A default that is a tuple asks for as many numbers; a single number is repeated.

    Raises:
        SceneError: the value is of another type, or not finite.
    """
    value = attribute.Get(time) if attribute else None
    if attribute is None or value is None:
        return default
    return cast(Kind, convert(value, default, str(attribute.GetPath())))


def convert(value: Any, like: Value, where: str) -> Value:
    """A value that USD returned, in the type of `like`; `where` is named when that fails."""
    if isinstance(like, str):
        if not isinstance(value, str):
            raise _refused(value, "a token or string", where)
        return value
    length = len(like) if isinstance(like, tuple) else 1
    numbers = np.asarray(value).ravel()
    numeric = numbers.dtype.kind in "fiub" and numbers.size in (1, length)
    if not (numeric and np.isfinite(numbers).all()):
        expected = "a finite number" if length == 1 else f"{length} finite numbers"
        raise _refused(value, expected, where)
    if isinstance(like, tuple):
        return tuple(np.broadcast_to(numbers, length).tolist())
    return float(numbers[0])


def array_of(
    attribute: Usd.Attribute, time: Usd.TimeCode, dtype: type[np.generic], width: int = 1
) -> NDArray[Any]:
    """The value as an array (n,) or (n, width); empty when there is none.

    Raises:
        SceneError: the value is no array of numbers of that kind and width.
    """
    value = attribute.Get(time) if attribute else None
    shape = (0, width) if width > 1 else (0,)
    if value is None:
        return np.zeros(shape, dtype)
    numbers = np.asarray(value)
    right_kind = numbers.dtype.kind in ("iu" if dtype is np.int64 else "fiu")
    if right_kind and not numbers.size:
        return np.zeros(shape, dtype)
    if not right_kind or numbers.ndim != len(shape) or numbers.shape[1:] != shape[1:]:
        kind = "whole numbers" if dtype is np.int64 else f"vectors of {width} numbers"
        raise _refused(value, f"an array of {kind}", str(attribute.GetPath()))
    return numbers.astype(dtype)


def asset_of(attribute: Usd.Attribute | None, time: Usd.TimeCode) -> Sdf.AssetPath | None:
    """The asset path; None when there is none or it is empty.

    Raises:
        SceneError: the value is not of type `asset`.
    """
    value = attribute.Get(time) if attribute else None
    if attribute is None or value is None:
        return None
    if not isinstance(value, Sdf.AssetPath):
        raise _refused(value, "an asset path", str(attribute.GetPath()))
    return value if value.path else None


def _refused(value: Any, expected: str, where: str) -> SceneError:
    return SceneError(
        f"attribute {where} is {value!r:.80}; expected {expected}; correct the attribute"
    )
