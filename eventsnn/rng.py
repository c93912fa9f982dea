"""Counter-based random numbers: every draw is a pure function of a key and two counters.

Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011); the long streams of Poisson sources take a faster one, `word`.  A key
comes from (seed, purpose, names...), so streams of different purposes or populations never meet, and nothing depends on
who else draws (law S12, S13).
"""

import hashlib

import numpy as np

U64 = np.uint64
MASK = U64(0xFFFFFFFF)
M0, M1 = U64(0xD2511F53), U64(0xCD9E8D57)
W0, W1 = U64(0x9E3779B9), U64(0xBB67AE85)
S32, S12 = U64(32), U64(12)
NARROW = 1 << 20
GOLDEN, MIX1, MIX2 = U64(0x9E3779B97F4A7C15), U64(0xBF58476D1CE4E5B9), U64(0x94D049BB133111EB)
S27, S30, S31 = U64(27), U64(30), U64(31)


def key(seed: int, purpose: str, *names: object) -> np.uint64:
    """The 64-bit key of one purpose: of a seed and of names (strings and integers)."""
    text = "\x1f".join([repr(int(seed)), purpose, *map(repr, names)])
    return U64(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little"))


def turn(x0, x1, x2, x3, k0, k1):
    """One of Philox's ten rounds."""
    p0 = M0 * x0
    p1 = M1 * x2
    return (p1 >> S32) ^ x1 ^ k0, p1 & MASK, (p0 >> S32) ^ x3 ^ k1, p0 & MASK


def philox(key, stream, draw):
    """Draw number `draw` of stream number `stream`: two independent uint64.  Scalars (compiled) or numpy arrays."""
    x0 = draw & MASK
    x1 = draw >> S32
    x2 = stream & MASK
    x3 = stream >> S32
    k0 = key & MASK
    k1 = key >> S32
    for _ in range(10):
        x0, x1, x2, x3 = turn(x0, x1, x2, x3, k0, k1)
        k0 = (k0 + W0) & MASK
        k1 = (k1 + W1) & MASK
    return (x1 << S32) | x0, (x3 << S32) | x2


def batch(out, key, stream, n):
    """The draws 0 .. n - 1 of a stream, each as four words of 32 bits: out (4, n) uint64.

    Word by word, low before high, they are the bits of `philox`.  Its rounds stand here one by one: LLVM makes vector
    instructions of this loop, but not of one with a loop or a long function inside.
    """
    s0, s1 = stream & MASK, stream >> S32
    k0, k1 = key & MASK, key >> S32
    a1, b1 = (k0 + W0) & MASK, (k1 + W1) & MASK
    a2, b2 = (a1 + W0) & MASK, (b1 + W1) & MASK
    a3, b3 = (a2 + W0) & MASK, (b2 + W1) & MASK
    a4, b4 = (a3 + W0) & MASK, (b3 + W1) & MASK
    a5, b5 = (a4 + W0) & MASK, (b4 + W1) & MASK
    a6, b6 = (a5 + W0) & MASK, (b5 + W1) & MASK
    a7, b7 = (a6 + W0) & MASK, (b6 + W1) & MASK
    a8, b8 = (a7 + W0) & MASK, (b7 + W1) & MASK
    a9, b9 = (a8 + W0) & MASK, (b8 + W1) & MASK
    for draw in range(n):
        x0, x1, x2, x3 = turn(U64(draw) & MASK, U64(draw) >> S32, s0, s1, k0, k1)
        x0, x1, x2, x3 = turn(x0, x1, x2, x3, a1, b1)
        x0, x1, x2, x3 = turn(x0, x1, x2, x3, a2, b2)
        x0, x1, x2, x3 = turn(x0, x1, x2, x3, a3, b3)
        x0, x1, x2, x3 = turn(x0, x1, x2, x3, a4, b4)
        x0, x1, x2, x3 = turn(x0, x1, x2, x3, a5, b5)
        x0, x1, x2, x3 = turn(x0, x1, x2, x3, a6, b6)
        x0, x1, x2, x3 = turn(x0, x1, x2, x3, a7, b7)
        x0, x1, x2, x3 = turn(x0, x1, x2, x3, a8, b8)
        x0, x1, x2, x3 = turn(x0, x1, x2, x3, a9, b9)
        out[0, draw] = x0
        out[1, draw] = x1
        out[2, draw] = x2
        out[3, draw] = x3


def lane(stream, number):
    """One of the 2^32 lanes of a stream below 2^32, for what takes several random numbers a draw; lane 0 is itself."""
    return U64(stream) | (U64(number) << S32)


def word(first, second, i):
    """Word i of a long stream that has two keys of its own: 64 random bits for a fifth of what Philox takes.

    SplitMix64 (Steele, Lea & Flood 2014), which is a function of a counter too, begun at the first key; the second
    enters between its multiplications, so that no two streams are parts of one sequence.  (`draw_plain` has it once
    more, with products that wrap.)
    """
    z = plus(first, product(i, GOLDEN))
    z = product(z ^ (z >> S30), MIX1)
    z = product(z ^ (z >> S27) ^ second, MIX2)
    return z ^ (z >> S31)


def product(a, b):
    """a b modulo 2^64, without a product that wraps, of which numpy would warn."""
    low = (a & MASK) * (b & MASK)
    high = (low >> S32) + ((a >> S32) * (b & MASK) & MASK) + ((a & MASK) * (b >> S32) & MASK)
    return ((high & MASK) << S32) | (low & MASK)


def plus(a, b):
    """a + b modulo 2^64, likewise."""
    low = (a & MASK) + (b & MASK)
    return (((a >> S32) + (b >> S32) + (low >> S32) & MASK) << S32) | (low & MASK)


def unit(bits):
    """A double in (0, 1) from 64 random bits: the centres of 2^52 cells, so neither 0 nor 1 ever comes."""
    return (np.float64(bits >> S12) + 0.5) * 2.220446049250313e-16


def below(bits, n):
    """An integer in [0, n) from 64 random bits; its bias is under n * 2^-52."""
    return min(np.int64(unit(bits) * n), n - 1)


def several_below(out, at, count, words, key, stream, n):
    """Integers 0 .. count - 1 of a stream, in [0, n), into out[at:].  words: room for `batch`, (4, >= count / 2 + 1).

    Up to n = 2^20 each takes 32 random bits (Lemire 2019, without the rejection: its bias is under n * 2^-32), beyond
    64 as `below` does.
    """
    if n <= NARROW:
        batch(words, key, stream, (count + 3) >> 2)
        for i in range(count):
            out[at + i] = (words[i & 3, i >> 2] * U64(n)) >> S32
    else:
        batch(words, key, stream, (count + 1) >> 1)
        for i in range(count):
            half = 2 * (i & 1)
            out[at + i] = below((words[half + 1, i >> 1] << S32) | words[half, i >> 1], n)
