"""Ask for the signature of a document before it is needed: rows far apart in memory then come several at a time.

Comparing two signatures takes twelve nanoseconds where they are at hand, and ten times that where each is waited for.
"""

from __future__ import annotations

from typing import Any

from filters.duplicates.minhash.compiled_kernels import add_compile_hook
from filters.duplicates.minhash.hash_kernels import U32

AHEAD = 8  # rows asked for before the one in hand
_LINE = 64  # bytes that the memory hands over at once
_ROW = 512  # bytes of a signature


def prefetch(rows: U32, row: Any) -> None:
    """Ask for a row; changes nothing, and does nothing where a kernel is interpreted."""


def _register() -> None:
    """Tell numba what `prefetch` is."""
    from numba.core import types
    from numba.extending import intrinsic, overload

    def ask(_: Any, rows: Any, row: Any) -> Any:
        return types.void(rows, row), _emit

    asked: Any = intrinsic(ask)
    overload(prefetch)(lambda rows, row: lambda rows, row: asked(rows, row))


def _emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    from llvmlite import ir  # type: ignore[import-untyped]
    from numba.core import cgutils, types
    from numba.np import arrayobj

    arrays: Any = arrayobj  # its functions and those of cgutils have no types
    helpers: Any = cgutils
    kind, number = signature.args
    array = arrays.make_array(kind)(context, builder, args[0])
    byte, flag, wide = ir.IntType(8).as_pointer(), ir.IntType(32), ir.IntType(64)
    stride = helpers.unpack_tuple(builder, array.strides)[0]
    offset = builder.mul(context.cast(builder, args[1], number, types.intp), stride)
    first = builder.gep(builder.bitcast(array.data, byte), [offset])
    kind_of_call = ir.FunctionType(ir.VoidType(), [byte, flag, flag, flag])
    call = helpers.get_or_insert_function(builder.module, kind_of_call, "llvm.prefetch.p0")
    for at in range(0, _ROW, _LINE):
        builder.call(call, [builder.gep(first, [wide(at)]), flag(0), flag(3), flag(1)])  # to read; keep; data
    return context.get_dummy_value()


add_compile_hook(_register)
