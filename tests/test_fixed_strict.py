"""Strict mode: what a register or a stored time cannot hold is an error that names neuron, tick and value."""

import math

import pytest
from eventsnn.exporters.fixed import quantise
from eventsnn.exporters.fixed.reference import run
from test_fixed_emulator import one

from eventsnn.errors import Mistake
from eventsnn.graph import compile
from eventsnn.network import flat
from eventsnn.simulate import simulate

TIMES = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


def loud(mode, **options):
    """A readout whose V climbs beyond its rails: the network, the tick of it, the exact value."""
    graph = one("none", times=TIMES, weights=[3.0, 0.75])
    fixed = quantise(compile(graph), mode=mode, v_bits=8, guard_bits=0, weight_bits=6, **options)
    step = int(flat(fixed.synapses).weight.sum())
    top = fixed.fixed.formats["n"].top
    first = top // step                                      # so many inputs fit
    return fixed, 20 + 10 * first, (first + 1) * step


@pytest.mark.parametrize("mode", ["event", "tick"])
@pytest.mark.parametrize("backend", ["python", "simpy", "auto"])
def test_the_first_saturation_is_named_with_its_neuron_tick_and_exact_value(mode, backend):
    fixed, tick, value = loud(mode)
    result = simulate(fixed, 10.0)
    assert result.counters["saturations"] > 0
    with pytest.raises(Mistake, match=rf"node 'n', neuron 0: at tick {tick} \({tick / 10:g} ms\) V comes to {value}, "
                                      "beyond 127: take more v_bits"):
        simulate(fixed, 10.0, backend=backend, strict=True)
    quiet = simulate(fixed, tick / 10, backend=backend, strict=True)
    assert quiet.spikes == simulate(fixed, tick / 10).spikes
    assert quiet.network is fixed


def test_the_specification_saw_the_same_value():
    fixed, tick, _ = loud("tick")
    trace = run(fixed, 10.0, {0: TIMES, 1: TIMES})
    assert trace.v[tick][0] == 127 > trace.v[tick - 1][0]


def test_a_current_that_saturates_or_wraps_is_named_by_its_receptor():
    graph = one("mul", times=[1.0] * 40 + [5000.0], weights=[1.0], cm=1.0, synapse=["delta", "exp"],
                tau_syn=[None, 5.0])
    graph.remove_edge("in", "n")
    graph.add_edge("in", "n", weight=1.0, delay=1.0, receptor=1)
    for saturation in ("symmetric", "wrap"):
        fixed = quantise(compile(graph), i_bits=10, guard_bits=2, saturation=saturation)
        with pytest.raises(Mistake, match=r"tick 20 .* the current of receptor 1 comes to \d+, beyond 511: .* i_bits"):
            simulate(fixed, 5.0, backend="python", strict=True)


def test_a_stored_time_that_aliases_is_named_with_its_age():
    """After 2^16 ticks a chip would take an old V for a fresh one; a V that has faded is none the worse for it."""
    for tau, wrong in ((1e5, True), (10.0, False)):
        graph = one("mul", times=[1.0, 7001.0], weights=[1.0], tau_m=tau)
        fixed = quantise(compile(graph), mode="event", decay="lut" if tau < 1e4 else "linear", v_bits=32)
        if not wrong:
            simulate(fixed, 7100.0, backend="python", strict=True)
            continue
        with pytest.raises(Mistake, match=r"tick 70020 .* its V is 70000 ticks old, and a stored time aliases after "
                                          "65536: take more time_bits"):
            simulate(fixed, 7100.0, backend="python", strict=True)
        again = quantise(compile(graph), mode="event", decay="linear", v_bits=32, time_bits=17)
        simulate(again, 7100.0, backend="python", strict=True)


def test_float_networks_have_nothing_to_be_strict_about():
    with pytest.raises(Mistake, match="strict is for integer networks"):
        simulate(compile(one(theta=math.inf)), 1.0, strict=True)
