"""Words that threads share, for compiled code: what one announces, the others see, with all it wrote before.

Plain reads and writes promise neither: a compiler may keep a word in a register, a processor may let the others see
writes in another order.
"""

import os
from typing import Any

from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from .pool import PAD


def _word(context, builder, signature, args):
    """A pointer to array[i] of an int64 array."""
    array = context.make_array(signature.args[0])(context, builder, args[0])
    return cgutils.get_item_pointer(context, builder, signature.args[0], array, [args[1]])


BARE = INSIDE = ("fetch", "adopt", "stage_of", "seize", "leave")        # see link.py
DISABLED = bool(vars(config)["DISABLE_JIT"])            # NUMBA_DISABLE_JIT: numba compiles nothing


@intrinsic
def announce(typing, array, i, value):
    """array[i] = value, seen by the other threads after all that this one wrote before."""
    def generate(context, builder, signature, args):
        builder.store_atomic(args[2], _word(context, builder, signature, args), "release", 8)
        return context.get_dummy_value()
    return types.void(array, types.intp, types.int64), generate


@intrinsic
def look(typing, array, i):
    """array[i] as another thread announced it; all that it wrote before is seen too."""
    def generate(context, builder, signature, args):
        return builder.load_atomic(_word(context, builder, signature, args), "acquire", 8)
    return types.int64(array, types.intp), generate


@intrinsic
def exchange(typing, array, i, before, after):
    """array[i] = after if it is `before`, and whether it was; seen as `announce` and `look` see."""
    def generate(context, builder, signature, args):
        done = builder.cmpxchg(_word(context, builder, signature, args), args[2], args[3], "acq_rel", "acquire")
        return builder.extract_value(done, 1)
    return types.boolean(array, types.intp, types.int64, types.int64), generate


def _prefetch(write):
    """Have the cache line of array[i] brought near, to be read or written."""
    def generate(context, builder, signature, args):
        kind, word = ir.IntType(32), ir.IntType(8).as_pointer()
        call = builder.module.declare_intrinsic("llvm.prefetch", [word], ir.FunctionType(
            ir.VoidType(), [word, kind, kind, kind]))
        where = builder.bitcast(_word(context, builder, signature, args), word)
        builder.call(call, [where, kind(write), kind(3), kind(1)])         # often, and no code
        return context.get_dummy_value()
    return generate


@intrinsic
def to_read(typing, array, i):
    return types.void(array, types.intp), _prefetch(0)


@intrinsic
def to_write(typing, array, i):
    return types.void(array, types.intp), _prefetch(1)


def fetch(array, i):
    """See `pieces.fetch`."""
    to_read(array, i)            # type: ignore[call-arg]


def adopt(array, i):
    """See `pieces.adopt`."""
    to_write(array, i)           # type: ignore[call-arg]


def stage_of(pool, b):
    """See `pool.stage_of`, and so on."""
    return look(pool.stage, PAD * b)                    # type: ignore[call-arg]


def seize(pool, b, before, after):
    return exchange(pool.stage, PAD * b, before, after)           # type: ignore[call-arg]


def leave(pool, b, after):
    announce(pool.stage, PAD * b, after)                # type: ignore[call-arg]


def stay():
    return 0


# Let another thread have this core, where the system has a call for that.
give_way: Any = types.ExternalFunction("sched_yield", types.intc()) if hasattr(os, "sched_yield") else stay
PATIENCE = 1000                # looks before another thread gets the core


def meet(mail, shard, number):
    """Wait until all shards have come to this meeting.  False: somebody broke off, and nobody will come."""
    others = len(mail.arrived) // 8 - 1
    announce(mail.arrived, 8 * shard, number)           # type: ignore[call-arg]
    for k in range(others):
        looks = 0
        while look(mail.arrived, 8 * k) < number:
            if look(mail.arrived, 8 * others) > 0:
                return False
            looks += 1
            if looks > PATIENCE:
                give_way()
    return True


@intrinsic
def wide(typing):
    """The function that says this prefers vectors of 512 bits, where the processor has them: LLVM takes 256 by itself.

    That is an attribute of LLVM's functions which llvmlite's list lacks.
    """
    def generate(context, builder, signature, args):
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()
    return types.void(), generate


@intrinsic
def apart(typing):
    """The arrays of the function that says this do not overlap, so that its loops need no look at that."""
    def generate(context, builder, signature, args):
        for argument in builder.function.args:
            if isinstance(argument.type, ir.PointerType):
                argument.add_attribute("noalias")
        return context.get_dummy_value()
    return types.void(), generate
