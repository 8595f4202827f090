"""Ask for the signature of a document before it is needed: rows far apart in memory then come several at a time.

Comparing two signatures takes twelve nanoseconds where they are at hand, and ten times that where each is waited for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np import arrayobj

from filters.duplicates.kernels import U32

AHEAD = 8  # rows asked for before the one in hand
_LINE = 64  # bytes that the memory hands over at once
_ROW = 512  # bytes of a signature
_NUMBA = cast(Any, arrayobj), cast(Any, cgutils)  # their functions have no types


def _prefetch(_: Any, rows: Any, row: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        (kind, number), (arrays, helpers) = signature.args, _NUMBA
        array = arrays.make_array(kind)(context, builder, args[0])
        byte, flag, wide = ir.IntType(8).as_pointer(), ir.IntType(32), ir.IntType(64)
        stride = helpers.unpack_tuple(builder, array.strides)[0]
        offset = builder.mul(context.cast(builder, args[1], number, types.intp), stride)
        first = builder.gep(builder.bitcast(array.data, byte), [offset])
        kind_of_call = ir.FunctionType(ir.VoidType(), [byte, flag, flag, flag])
        ask = helpers.get_or_insert_function(builder.module, kind_of_call, "llvm.prefetch.p0")
        for at in range(0, _ROW, _LINE):
            builder.call(ask, [builder.gep(first, [wide(at)]), flag(0), flag(3), flag(1)])  # to read; keep; data
        return context.get_dummy_value()

    return types.void(rows, row), emit


prefetch: Callable[[U32, Any], None] = cast(Any, intrinsic(_prefetch))  # (rows, row): changes nothing; for kernels only
