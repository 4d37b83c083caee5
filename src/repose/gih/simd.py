"""A block of right-hand sides as one machine value, for numba kernels.

LLVM's auto-vectoriser does not keep a row of 32 right-hand sides in registers while it walks a sparse
row: it re-loads and re-stores the accumulator for every non-zero, which costs a factor of three. Here a
row is one LLVM vector `<32 x double>`; LLVM splits it into whatever registers the machine has (4 of
AVX-512, 8 of AVX2, 16 of NEON), so the kernels in :mod:`repose.gih.kernels` stay portable and read like
the maths: ``row = row - scalar * load(x, i)``.
"""

import operator
from typing import Any

from llvmlite import ir
from numba import extending, types
from numba.extending import models, overload, register_model

intrinsic: Any = extending.intrinsic  # numba types the compiler's view of these functions, not the caller's

LANES = 32
"""Right-hand sides per block. More would spill out of the registers, fewer would re-read the factors."""

_DOUBLE, _I64, _I32 = ir.DoubleType(), ir.IntType(64), ir.IntType(32)
_VECTOR, _BITS = ir.VectorType(_DOUBLE, LANES), ir.VectorType(_I64, LANES)


class RowType(types.Type):
    """The numba type of LANES float64 that live in registers."""

    def __init__(self) -> None:
        super().__init__(name=f"Row{LANES}")


row_type = RowType()


@register_model(RowType)
class _RowModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: RowType):
        super().__init__(manager, kind, _VECTOR)


def _address(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    struct = context.make_array(array_type)(context, builder, array)
    first = builder.gep(struct.data, [builder.mul(index, ir.Constant(_I64, LANES))])
    return builder.bitcast(first, _VECTOR.as_pointer())


def _splat(builder: Any, scalar: Any) -> Any:
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    one = builder.insert_element(undefined, scalar, ir.Constant(_I32, 0))
    return builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(_I32, LANES), [0] * LANES))


@intrinsic
def load(_typing: Any, x: Any, i: Any) -> Any:
    """Row ``i`` of a C-contiguous float64 array of shape (n, LANES). Bounds are not checked."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_address(context, builder, signature.args[0], *args), align=8)

    return row_type(x, types.int64), emit


@intrinsic
def store(_typing: Any, x: Any, i: Any, row: Any) -> Any:
    """Write a row where :func:`load` reads it."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _address(context, builder, signature.args[0], *args[:2]), align=8)
        return context.get_dummy_value()

    return types.void(x, types.int64, row_type), emit


@intrinsic
def fill(_typing: Any, scalar: Any) -> Any:
    """A row that holds ``scalar`` in every lane."""
    return row_type(types.float64), lambda _, builder, __, args: _splat(builder, args[0])


@intrinsic
def any_below(_typing: Any, row: Any, limit: Any) -> Any:
    """Whether some lane is less than ``limit``, or NaN."""

    def emit(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        below = builder.fcmp_unordered("<", args[0], _splat(builder, args[1]))
        mask = builder.bitcast(below, ir.IntType(LANES))
        return builder.icmp_unsigned("!=", mask, ir.Constant(mask.type, 0))

    return types.boolean(row_type, types.float64), emit


@intrinsic
def rsqrt(_typing: Any, row: Any) -> Any:
    """1/sqrt of every lane to 3e-11 relative, for positive normal numbers.

    The classic bit trick and three Newton steps: a third of the cycles of a square root and a
    division. The result only scales a unit vector whose end is stored as float32.
    """

    def emit(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        number = lambda value: ir.Constant(_VECTOR, [value] * LANES)  # noqa: E731
        bits = lambda value: ir.Constant(_BITS, [value] * LANES)  # noqa: E731
        half_bits = builder.lshr(builder.bitcast(args[0], _BITS), bits(1))
        y = builder.bitcast(builder.sub(bits(0x5FE6EB50C7B537A9), half_bits), _VECTOR)
        half = builder.fmul(args[0], number(0.5))
        for _ in range(3):
            correction = builder.fmul(builder.fmul(half, y), y, flags=_FUSE)
            y = builder.fmul(y, builder.fsub(number(1.5), correction, flags=_FUSE))
        return y

    return row_type(row_type), emit


_FUSE = ("contract",)  # lets LLVM use fused multiply-add, and nothing else


def _binary(instruction: str) -> Any:
    @intrinsic
    def apply(_typing: Any, a: Any, b: Any) -> Any:
        def emit(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            return getattr(builder, instruction)(*args, flags=_FUSE)

        return row_type(row_type, row_type), emit

    return apply


_add, _sub, _mul = _binary("fadd"), _binary("fsub"), _binary("fmul")


@overload(operator.add, inline="always")
def _row_add(a, b):  # numba compares this signature with the lambda's
    if isinstance(a, RowType) and isinstance(b, RowType):
        return lambda a, b: _add(a, b)
    return None


@overload(operator.sub, inline="always")
def _row_sub(a, b):  # numba compares this signature with the lambda's
    if isinstance(a, RowType) and isinstance(b, RowType):
        return lambda a, b: _sub(a, b)
    return None


@overload(operator.mul, inline="always")
def _row_mul(a, b):  # numba compares this signature with the lambda's
    if isinstance(a, RowType) and isinstance(b, RowType):
        return lambda a, b: _mul(a, b)
    if isinstance(a, types.Float) and isinstance(b, RowType):
        return lambda a, b: _mul(fill(a), b)
    return None
