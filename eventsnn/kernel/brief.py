"""A little run in plain Python: over before a compiler, or even its cache, would have been loaded.

The loop is the same and so is every bit of its result.  Whether a run is little is told by counting, never by a clock:
by what is known beforehand, then by what the loop has handled when it first returns.  One that turns out to be larger
is begun again by whoever asked.  A process has an allowance for all such runs together, some 0.3 s; those who run many
little networks want the compiled loop after all.
"""

from typing import Any

from ..course import Outcome, Setup
from .engine import run

LITTLE = 1000            # neurons, synapses, events of sources, breakpoints and samples together
MOST = 300               # spikes, inputs and windows of one run; each takes 0.02 to 0.3 ms
TICKS = 20.0             # of a clocked neuron cost as much as an event, if it is awake
WINDOW = 10.0            # of the loop, so that not much can happen before it returns
allowance = [3000]       # spikes, inputs and windows that are left to this process


def brief(setup: Setup) -> tuple[Outcome, list[Any]] | None:
    """The whole run, if it is a little one: its outcome, and what its sink is to be called with."""
    most = min(MOST, allowance[0])
    if most <= 0 or setup.network.neurons > LITTLE or work(setup) > LITTLE:
        return None
    deliveries: list[Any] = []
    outcome = run(setup._replace(sink=lambda *spikes: deliveries.append(spikes)), False, window=WINDOW, most=most)
    whole = outcome.interrupted or outcome.reached >= setup.until
    allowance[0] -= 20 + int(outcome.counters[:2].sum()) if whole else most
    return (outcome, deliveries) if whole else None


def work(setup: Setup) -> float:
    """What there is to do at least, in events; inf where nobody can say: the steps of an ODE are no events."""
    network, drives = setup.network, setup.network.drives
    if any(group.dynamics.exactness == "ode" for group in network.groups):
        return float("inf")
    clocked = sum(len(group.neuron) for group in network.groups if group.dynamics.judged_last)
    lines = drives.first[1:] - drives.first[:-1]
    drawn = sum(b.rate / (b.order or 1.0) for b in setup.streams.of) * setup.until * (network.tick or 1.0)
    return (network.neurons + clocked * setup.until / TICKS + len(network.synapses.target) + drawn
            + len(setup.trains.time) + lines[drives.line].sum() + sum(probe.samples.size for probe in setup.probes))
