"""Loihi 1 as Lava 0.10 computes it, in plain Python integers, step by step over every neuron.

Written from the specification (fixed-point.md, section 3), not from `loihi1_lava.py`, and slow on purpose: what the
emulator must equal, and what is itself compared with Lava's recorded traces.

    W  clipped to [-256, 255] (mixed signs), [0, 255] or [-255, 0], its last 8 - num_weight_bits + mixed bits dropped
    a  = (the sum of W over the sources that spiked a step earlier) << weight_exp, or floor of the sum >> -weight_exp
    u' = tz(u (4096 - (du + 1)), 12) + (all a << 6) in 32 bits, once around in (-2^23, 2^23]
    v' = tz(v (4096 - dv), 12) + u' + (bias_mant << bias_exp), held within +-(2^23 - 1)
    a spike iff v' > vth << 6; then v' := 0
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

HALF = 2**23


class Population(NamedTuple):
    """What Lava's LIF takes; lists have one entry per neuron."""

    du: int
    dv: int
    vth: int
    bias_mant: Sequence[int]
    bias_exp: Sequence[int]
    u: Sequence[int]
    v: Sequence[int]


class Connection(NamedTuple):
    """What Lava's Dense takes: weights[target][source]."""

    source: str
    target: str
    weights: Sequence[Sequence[int]]
    weight_exp: int = 0
    num_weight_bits: int = 8


class Trace(NamedTuple):
    """[step][neuron] of each population after each step."""

    u: dict[str, list[list[int]]]
    v: dict[str, list[list[int]]]
    s: dict[str, list[list[int]]]


def toward_zero(x: int, bits: int) -> int:
    return x // 2**bits if x >= 0 else -(-x // 2**bits)


def stored(weights: Sequence[Sequence[int]], num_weight_bits: int) -> list[list[int]]:
    """The weights as the chip's synapses hold them."""
    flat = [w for row in weights for w in row]
    if min(flat) >= 0:
        low, high, dropped, sign = 0, 255, 8 - num_weight_bits, 1
    elif max(flat) <= 0:
        low, high, dropped, sign = -255, 0, 8 - num_weight_bits, -1
    else:
        low, high, dropped, sign = -256, 255, 9 - num_weight_bits, 1
    return [[sign * (sign * max(low, min(high, w)) // 2**dropped * 2**dropped) for w in row] for row in weights]


def scaled(x: int, exponent: int) -> int:
    """x << exponent; a negative exponent shifts right, rounding down."""
    return x * 2**exponent if exponent >= 0 else x // 2**-exponent


class Neuron:
    """One neuron's registers."""

    def __init__(self, du: int, dv: int, vth: int, bias: int, u: int, v: int) -> None:
        self.du, self.dv, self.vth, self.bias, self.u, self.v = du, dv, vth, bias, u, v
        self.clipped = 0               # how often u went around or v was held
        self.fault: tuple[int, int] | None = None       # the first time: 1 for u, 0 for v, and what it came to

    def step(self, a: int) -> int:
        """1 if there is a spike when all connections together send a."""
        u = toward_zero(self.u * (4096 - (self.du + 1)), 12) + a * 2**6
        if not -HALF < u <= HALF:
            self.clipped += 1
            self.fault = self.fault or (1, u)
        u = (u + 2**31) % 2**32 - 2**31                         # Lava adds in 32 bits
        if u > HALF:
            u -= 2 * HALF
        elif u <= -HALF:
            u += 2 * HALF
        self.u = u
        v = toward_zero(self.v * (4096 - self.dv), 12) + u + self.bias
        self.v = max(-(HALF - 1), min(HALF - 1, v))
        if self.v != v:
            self.clipped += 1
            self.fault = self.fault or (0, v)
        if self.v > self.vth * 2**6:
            self.v = 0
            return 1
        return 0


class Recorded(Neuron):
    """A neuron of a `Network`, for exporters/fixed/reference.py: constants and first state from its records."""

    masked = 0

    def __init__(self, record: Any, start: Any) -> None:
        super().__init__(int(record["du"]), int(record["dv"]), int(record["vth"]), int(record["bias"]),
                         int(start["u"]), int(start["v"]))
        self.falls = [int(x) for x in record["fall"]]
        self.fired = 0                 # tick 0 is not judged

    @property
    def currents(self) -> list[int]:
        return [self.u]

    def tick(self, arrivals: list[tuple[int, int]]) -> int:
        before = self.clipped
        self.fired = self.step(sum(scaled(sum(w for k, w in arrivals if k == receptor), -fall)
                                   for receptor, fall in enumerate(self.falls)))
        return self.clipped - before

    def judge(self) -> int:
        return self.fired


def run(populations: Mapping[str, Population], connections: Sequence[Connection],
        inputs: Mapping[str, Sequence[Sequence[int]]], steps: int) -> Trace:
    """`steps` steps; inputs[name][step][source] is 1 where a source spikes."""
    held = [(c, stored(c.weights, c.num_weight_bits)) for c in connections]
    neurons = {name: [Neuron(p.du, p.dv, p.vth, scaled(mant, exp), u, v)
                      for mant, exp, u, v in zip(p.bias_mant, p.bias_exp, p.u, p.v, strict=True)]
               for name, p in populations.items()}
    spiked = {name: [0] * len(mine) for name, mine in neurons.items()}       # a step earlier
    trace = Trace({name: [] for name in neurons}, {name: [] for name in neurons}, {name: [] for name in neurons})
    for step in range(steps):
        before = spiked | {name: list(rows[step - 1]) if step else [0] * len(rows[0]) for name, rows in inputs.items()}
        spiked = {}
        for name, mine in neurons.items():
            arrived = [0] * len(mine)
            for c, weights in held:
                if c.target == name:
                    for j, row in enumerate(weights):
                        arrived[j] += scaled(sum(w for w, s in zip(row, before[c.source], strict=True) if s),
                                             c.weight_exp)
            spiked[name] = [neuron.step(a) for neuron, a in zip(mine, arrived, strict=True)]
            trace.u[name].append([neuron.u for neuron in mine])
            trace.v[name].append([neuron.v for neuron in mine])
            trace.s[name].append(spiked[name])
    return trace
