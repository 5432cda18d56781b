"""Keeping the chosen ones among many pixels at a time, as vector code.

AVX-512 moves the chosen lanes of a vector together in one instruction; LLVM knows that as
`llvm.experimental.vector.compress`. Elsewhere this would be taken apart into more work than a loop
over single pixels, which writes the same (`datagen.sensors.events.tiles.list_marked`). Numba has no
vector types, so this is built as LLVM IR.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

VECTOR_BYTES = 64
_I32, _I64 = ir.IntType(32), ir.IntType(64)


def _has(feature: str) -> bool:
    try:
        return bool(binding.get_host_cpu_features().get(feature, False))
    except RuntimeError:  # LLVM does not know the features of every kind of processor
        return False


COMPRESSES = _has("avx512f")
"""Whether this processor moves chosen lanes together by itself."""
SHORT = np.uint16 if _has("avx512vbmi2") else np.int32
"""The smallest type of indices that it moves so, for those below 65536."""


@intrinsic
def append_marked(typingctx, mark, first, listed, m):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """List the ones among as many marks as `VECTOR_BYTES` hold indices.

    Args (of the compiled function):
        mark: uint8, zeros and ones.
        first: index of the first of the marks, int64.
        listed: int32 or uint16; `VECTOR_BYTES` are written from listed[m] on.
        m: how many are listed so far, int64.

    Returns:
        How many are listed then.
    """
    return types.int64(mark, types.int64, listed, types.int64), _build_marked


@intrinsic
def append_nonzero(typingctx, words, first, out, m):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Copy those of the next words that are not zero, as many as `VECTOR_BYTES` hold.

    Args (of the compiled function):
        words: uint64.
        first: index of the first of them, int64.
        out: uint64; `VECTOR_BYTES` are written from out[m] on.
        m: how many are copied so far, int64.

    Returns:
        How many are copied then.
    """
    return types.int64(words, types.int64, out, types.int64), _build_nonzero


def _build_marked(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
    source, target = _places(context, builder, signature, args)
    lanes = 8 * VECTOR_BYTES // target.type.pointee.width
    marks, indices = _load(builder, source, lanes), ir.VectorType(target.type.pointee, lanes)
    return _append(builder, marks, _counted(builder, args[1], indices), target, args[3])


def _build_nonzero(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
    source, target = _places(context, builder, signature, args)
    words = _load(builder, source, 8 * VECTOR_BYTES // source.type.pointee.width)
    return _append(builder, words, words, target, args[3])


def _places(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> list[Any]:
    return [
        builder.gep(context.make_array(kind)(context, builder, array).data, [index])
        for kind, array, index in zip(signature.args[::2], args[::2], args[1::2], strict=True)
    ]


def _load(builder: ir.IRBuilder, place: Any, lanes: int) -> Any:
    vector = ir.VectorType(place.type.pointee, lanes)
    return builder.load(builder.bitcast(place, vector.as_pointer()), align=1)


def _append(builder: ir.IRBuilder, marks: Any, values: Any, target: Any, m: Any) -> Any:
    """Write the values whose marks are not zero; returns m and how many they are."""
    lanes, kind = values.type.count, values.type.element
    chosen = builder.icmp_unsigned("!=", marks, marks.type(0))
    compress = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(values.type, [values.type, chosen.type, values.type]),
        f"llvm.experimental.vector.compress.v{lanes}i{kind.width}",
    )
    together = builder.call(compress, [values, chosen, values.type(ir.Undefined)])
    builder.store(together, builder.bitcast(target, values.type.as_pointer()), align=1)
    number = builder.ctpop(builder.bitcast(chosen, ir.IntType(lanes)))
    return builder.add(m, builder.zext(number, _I64))


def _counted(builder: ir.IRBuilder, first: Any, indices: Any) -> Any:
    """first, first + 1, ..."""
    nothing, lanes = indices(ir.Undefined), indices.count
    lane = builder.insert_element(nothing, builder.trunc(first, indices.element), _I32(0))
    spread = builder.shuffle_vector(lane, nothing, ir.VectorType(_I32, lanes)([0] * lanes))
    return builder.add(spread, indices(list(range(lanes))))
