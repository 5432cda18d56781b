"""Listing the marked ones among many pixels at a time, as vector code.

AVX-512 moves the chosen lanes of a vector together in one instruction; LLVM knows that as
`llvm.experimental.vector.compress`. Elsewhere this would be taken apart into more work than a loop
over single marks, which writes the same indices (`datagen.sensors.events.tiles.list_marked`).
Numba has no vector types, so this is built as LLVM IR.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

VECTOR_BYTES = 64
_I8, _I32, _I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)


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
    return types.int64(mark, types.int64, listed, types.int64), _build


def _build(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
    mark, first, listed, m = args
    places = [
        builder.gep(context.make_array(kind)(context, builder, array).data, [index])
        for kind, array, index in zip(signature.args[::2], (mark, listed), (first, m), strict=True)
    ]
    kind = places[1].type.pointee
    lanes = 8 * VECTOR_BYTES // kind.width
    seen, indices = ir.VectorType(_I8, lanes), ir.VectorType(kind, lanes)
    source = builder.bitcast(places[0], seen.as_pointer())
    chosen = builder.icmp_unsigned("!=", builder.load(source, align=1), seen(0))
    compress = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(indices, [indices, chosen.type, indices]),
        f"llvm.experimental.vector.compress.v{lanes}i{kind.width}",
    )
    counted = _counted(builder, first, indices)
    together = builder.call(compress, [counted, chosen, indices(ir.Undefined)])
    target = builder.bitcast(places[1], indices.as_pointer())
    builder.store(together, target, align=kind.width // 8)
    number = builder.ctpop(builder.bitcast(chosen, ir.IntType(lanes)))
    return builder.add(m, builder.zext(number, _I64))


def _counted(builder: ir.IRBuilder, first: Any, indices: Any) -> Any:
    """first, first + 1, ..."""
    nothing, lanes = indices(ir.Undefined), indices.count
    lane = builder.insert_element(nothing, builder.trunc(first, indices.element), _I32(0))
    spread = builder.shuffle_vector(lane, nothing, ir.VectorType(_I32, lanes)([0] * lanes))
    return builder.add(spread, indices(list(range(lanes))))
