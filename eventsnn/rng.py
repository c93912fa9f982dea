"""Counter-based random numbers: every draw is a pure function of a key and two counters.

Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011).  A key comes from (seed, purpose, names...), so streams of different
purposes or populations never meet, and nothing depends on who else draws (law S12, S13).
"""

import hashlib

import numpy as np

U64 = np.uint64
MASK = U64(0xFFFFFFFF)
M0, M1 = U64(0xD2511F53), U64(0xCD9E8D57)
W0, W1 = U64(0x9E3779B9), U64(0xBB67AE85)
S32, S12 = U64(32), U64(12)


def key(seed: int, purpose: str, *names: object) -> np.uint64:
    """The 64-bit key of one purpose: of a seed and of names (strings and integers)."""
    text = "\x1f".join([repr(int(seed)), purpose, *map(repr, names)])
    return U64(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little"))


def philox(key, stream, draw):
    """Draw number `draw` of stream number `stream`: two independent uint64.  Scalars (compiled) or numpy arrays."""
    x0 = draw & MASK
    x1 = draw >> S32
    x2 = stream & MASK
    x3 = stream >> S32
    k0 = key & MASK
    k1 = key >> S32
    for _ in range(10):
        p0 = M0 * x0
        p1 = M1 * x2
        x0 = (p1 >> S32) ^ x1 ^ k0
        x1 = p1 & MASK
        x2 = (p0 >> S32) ^ x3 ^ k1
        x3 = p0 & MASK
        k0 = (k0 + W0) & MASK
        k1 = (k1 + W1) & MASK
    return (x1 << S32) | x0, (x3 << S32) | x2


def lane(stream, number):
    """One of the 2^32 lanes of a stream below 2^32, for what takes several random numbers a draw; lane 0 is itself."""
    return U64(stream) | (U64(number) << S32)


def unit(bits):
    """A double in (0, 1) from 64 random bits: the centres of 2^52 cells, so neither 0 nor 1 ever comes."""
    return (np.float64(bits >> S12) + 0.5) * 2.220446049250313e-16


def below(bits, n):
    """An integer in [0, n) from 64 random bits; its bias is under n * 2^-52."""
    return min(np.int64(unit(bits) * n), n - 1)
