"""quantise: scales, grids, the report, and everything it refuses."""

import json
import math

import networkx as nx
import numpy as np
import pytest
from eventsnn.exporters.fixed import quantise, scales
from eventsnn.exporters.fixed.format import Format, factor, guard_rule, tables

from eventsnn.errors import Mistake
from eventsnn.graph import compile
from eventsnn.network import flat
from eventsnn.simulate import simulate


def graph(weight=0.1, delay=1.5, **own):
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", size=10, times=[[k + 0.3 * j for k in range(20)] for j in range(10)])
    g.add_node("n", model="lif", **{"size": 4, "tau_m": 20.0, "v_rest": -65.0, "v_reset": -65.0, "v_thresh": -50.0,
                                    "tau_refrac": 2.0, **own})
    g.add_edge("in", "n", rule="all_to_all", weight=weight, delay=delay)
    return g


def quantised(g=None, **options):
    return quantise(compile(g or graph(), seed=1), **options)


def reported(fixed, name="n"):
    return next(p for p in fixed.fixed.report["populations"] if p["name"] == name)


# ---------------------------------------------------------------------------------------------------- units
def test_every_integer_is_its_float_on_the_populations_grid():
    weight = np.linspace(-3.0, 5.0, 40).tolist()
    fixed = quantised(graph(weight, v_thresh=-50.3, v_reset=-66.1, v_init=-64.2), weight_bits=6)
    lsb, p, s = fixed.by_name["n"].scale, fixed.groups[0].params[0], fixed.groups[0].state[0]
    assert (p.theta, p.reset, s.v) == (round(14.7 / lsb), round(-1.1 / lsb), round(0.8 / lsb))
    (projection,), unit = fixed.fixed.projections, fixed.fixed.report["projections"][0]["weight_lsb_mv"]
    assert unit == lsb * 2**projection.shift
    mantissa = flat(fixed.synapses).weight >> projection.shift
    assert sorted(fixed.fixed.original) == weight
    assert mantissa.tolist() == np.rint(fixed.fixed.original / unit).tolist()
    assert 16 <= np.abs(mantissa).max() <= 31                    # signed 6 bits, all used
    assert fixed.synapses.weight.dtype == fixed.synapses.weights.dtype == np.int64


def test_times_become_ticks_and_delays_at_least_one():
    fixed = quantised(graph(delay=np.linspace(0.01, 0.99, 40).tolist(), tau_refrac=1.4), tick=0.25)
    assert fixed.tick == 0.25
    assert sorted(set(fixed.synapses.delay)) == [1.0, 2.0, 3.0, 4.0]
    assert fixed.groups[0].params[0].refrac == 6
    assert fixed.fixed.report["projections"][0]["delay_residual_ms"] == pytest.approx(0.24)
    assert reported(fixed)["refractory"] == {"float": 1.4, "integer": 6, "residual": pytest.approx(0.1)}


def test_multapses_are_rounded_one_by_one_and_then_merged():
    g = graph()
    g.remove_edge("in", "n")
    g.add_edge("in", "n", rule="pairs", source=[0, 0, 0, 1], target=[0] * 4, weight=[0.3, 0.3, 0.3, 1.0], delay=1.0)
    fixed = quantised(g, weight_bits=2)                          # the grid is 1 mV: 0.3 is nothing, 0.9 would be 1
    assert flat(fixed.synapses).weight.tolist() == [0, round(1.0 / fixed.by_name["n"].scale)]
    assert flat(fixed.synapses).count.tolist() == [3, 1]
    assert fixed.fixed.report["projections"][0]["zeroed"] == 3
    assert any("3 of 4 weights zeroed" in w for w in fixed.fixed.report["warnings"])


def test_multapses_whose_delays_round_to_one_tick_are_one_synapse():
    g = graph()
    g.remove_edge("in", "n")
    g.add_edge("in", "n", rule="pairs", source=[0, 0], target=[0, 0], weight=[0.5, 0.25], delay=[1.0, 1.01])
    fixed = quantised(g)
    assert flat(fixed.synapses).count.tolist() == [2]
    assert flat(fixed.synapses).weight[0] * fixed.by_name["n"].scale == 0.75


def test_guard_bits_lie_below_the_finest_weight_grid():
    for guard in (0, 3, 7):
        fixed = quantised(guard_bits=guard)
        assert fixed.fixed.projections[0].shift == guard == fixed.fixed.formats["n"].guard
    assert quantised(v_bits=32).fixed.formats["n"].guard == guard_rule(200) == 9


def test_where_v_has_no_room_fewer_guard_bits_are_left_and_the_loss_is_told():
    fixed = quantised(v_bits=14, decay="mul")
    assert fixed.fixed.formats["n"].guard < 9
    assert any("guard bits where the rule asks for 9" in w and "loss of PSP area" in w for w in
               fixed.fixed.report["warnings"])
    losses = [entry["loss"] for entry in reported(fixed)["psp_area_loss"]]
    assert losses[0] > 0.05
    assert reported(quantised(decay="mul"))["psp_area_loss"][0]["loss"] < 0.03
    assert not any("PSP" in w for w in quantised().fixed.report["warnings"])


@pytest.mark.parametrize(("weight", "ideal"), [(16, 8.5), (64, 32), (256, 66), (4096, 95)])
def test_the_predicted_psp_area_is_the_specifications(weight, ideal):
    """fixed-point.md, section 2: RTZ per tick at tau = 100 ticks."""
    from eventsnn.exporters.fixed.losses import psp_area

    record = quantised(graph(tau_m=10.0), decay="mul").groups[0].params[0]
    a = math.exp(-1 / 100)
    assert 100 * psp_area(record, weight) * (1 - a) / weight == pytest.approx(ideal, abs=1.5)


def test_projections_of_different_size_get_shifts_of_their_own():
    g = graph()
    g.add_edge("n", "n", rule="all_to_all", weight=-3.2, delay=1.0)
    fixed = quantised(g)
    shift = {q.source: q.shift for q in fixed.fixed.projections}
    assert shift["n"] == shift["in"] + 5
    assert {(q["source"], q["shift"]) for q in fixed.fixed.report["projections"]} == set(shift.items())


def test_each_neuron_keeps_its_own_tau_and_infinite_ones_do_not_decay():
    fixed = quantised(graph(tau_m=[10.0, 20.0, 30.0, math.inf]))
    p = fixed.groups[0].params
    assert [("none", "linear", "mul", "lut")[k] for k in p.decay] == ["lut", "lut", "lut", "none"]
    form = fixed.fixed.formats["n"]
    for k, tau in enumerate((100.0, 200.0, 300.0)):
        t = tables(tau, form.decay_bits, form.top)
        assert p.length[k] == t.length
        assert p.fine[k, :len(t.fine)].tolist() == t.fine.tolist()
    assert quantised(graph(tau_m=math.inf)).fixed.formats["n"].decay == "none"
    mul = quantised(graph(tau_m=[10.0, 20.0, 30.0, math.inf]), decay="mul").groups[0].params
    assert mul.rate.tolist() == [factor(t, int(mul.bits[0])) for t in (100.0, 200.0, 300.0)] + [0]


def test_a_linear_decay_has_the_exponentials_slope_at_half_the_threshold():
    fixed = quantised(decay="linear")
    slope = 7.5 * -math.expm1(-0.1 / 20.0) / fixed.by_name["n"].scale
    assert fixed.groups[0].params[0].rate == round(slope)


@pytest.mark.parametrize("decay", ["mul", "lut"])
@pytest.mark.parametrize("tau", [1.0, 20.0, 200.0])
def test_the_effective_time_constant_is_within_a_thousandth(decay, tau):
    report = reported(quantised(graph(tau_m=tau), decay=decay))["tau_m_ms"]
    assert report["asked"] == tau
    assert report["effective"] == pytest.approx(tau, rel=1e-3)


# ---------------------------------------------------------------------------------------------------- calibration
def test_a_calibration_run_sets_the_range_recorded_or_run_again():
    network = compile(graph(weight=0.8), seed=1)
    recorded = simulate(network, 20.0, record={"n": ["v"]})
    bare = simulate(network, 20.0)
    a, b = quantise(network, recorded), quantise(network, bare)
    assert (a.fixed.report["calibration"], b.fixed.report["calibration"]) == ("recorded", "rerun")
    u = recorded.recorded["n"]["v"] + 65.0
    assert reported(a)["range_mv"] == max(1.25 * np.abs(u).max(), u.mean() + 6 * u.std(), 15.0)
    assert a.digest == b.digest
    assert reported(a)["predicted_saturation"] < 1e-6
    assert reported(a)["accepted"] == {"bias": True, "noise": True, "saturation": True}


def test_a_rerun_uses_the_inputs_of_the_calibration():
    network = compile(graph(weight=0.8, v_thresh=math.inf), seed=1)
    loud = simulate(network, 20.0, inputs={"in": [[1.0] * 40] * 10})
    assert reported(quantise(network, loud))["range_mv"] > 300.0
    assert reported(quantise(network, simulate(network, 20.0)))["range_mv"] < 300.0


def test_a_run_of_another_network_is_no_calibration():
    other = compile(graph(size=5), seed=1)
    with pytest.raises(Mistake, match="calibrate is a run of another network: its populations are 'n' \\(5\\)"):
        quantise(compile(graph()), simulate(other, 5.0))
    with pytest.raises(Mistake, match="calibrate is a dict: give the Result"):
        quantise(compile(graph()), {})


def test_without_a_run_the_range_comes_from_threshold_and_weights():
    assert reported(quantised(graph(weight=3.0)))["range_mv"] == 2 * 15.0 + 3.0
    assert reported(quantised(graph(weight=3.0, v_thresh=math.inf)))["range_mv"] == 10 * 3.0


@pytest.mark.parametrize(("wide", "weights", "bits", "guard"), [(25.0, [0.1], 24, 9), (40.0, [10.0], 24, 9),
                                                                (1e-3, [1e-5], 16, 4), (25.0, [], 24, 9)])
def test_the_lsb_is_a_power_of_two_whose_rails_hold_the_range(wide, weights, bits, guard):
    nothing = np.zeros(len(weights), int)
    incoming = scales.Incoming(np.array(weights), nothing, nothing, nothing, np.array(weights), nothing)
    exponent, left = scales.lsb(wide, math.inf, incoming, 8, bits, guard)
    assert wide <= (2 ** (bits - 1) - 1) * 2.0**exponent
    assert left == guard or wide > (2 ** (bits - 1) - 1) * 2.0 ** (exponent - 1)


def test_the_finest_grid_on_which_a_weight_fits():
    for weight in (1.0, 127.0, 127.4, 127.6, 128.0, 0.1, 3e-7):
        k = scales.grid(np.array([weight, -weight / 3]), 127)
        assert np.rint(weight / 2.0**k) <= 127 < np.rint(weight / 2.0 ** (k - 1))
    assert scales.grid(np.zeros(3), 127) is None


# ---------------------------------------------------------------------------------------------------- around it
def test_recorded_v_comes_back_in_millivolts():
    network = compile(graph(weight=0.4), seed=1)
    float_run = simulate(network, 20.0, record={"n": ["v"]})
    fixed_run = simulate(quantise(network, float_run, weight_bits=16), 20.0, record={"n": ["v"]})
    v = fixed_run.recorded["n"]["v"]
    assert v[0].tolist() == [-65.0] * 4
    assert np.abs(v - float_run.recorded["n"]["v"]).max() < 0.2
    assert v.max() > -60.0


def test_the_integer_network_knows_its_original_and_the_report_is_json():
    network = compile(graph(), seed=7)
    fixed = quantise(network)
    assert fixed.graph is network.graph
    assert fixed.seed == 7
    assert compile(fixed.graph, seed=fixed.seed).digest == network.digest
    assert json.loads(json.dumps(fixed.fixed.report, allow_nan=False)) == fixed.fixed.report
    assert fixed.groups[0].dynamics.exactness == "integer, event mode"


def test_quantise_is_a_function_of_network_and_options():
    network = compile(graph(weight={"normal": [0.1, 0.1]}), seed=2)
    assert quantise(network).digest == quantise(network).digest != quantise(network, weight_bits=7).digest


def test_a_network_without_synapses_or_with_silent_ones_is_quantised():
    g = nx.MultiDiGraph()
    g.add_node(0, model="lif")
    g.add_node(1, model="lif", v_thresh=math.inf, v_rest=0.0, v_reset=0.0)
    fixed = quantised(g)
    assert len(simulate(fixed, 5.0).spikes) == 0
    g.add_edge(0, 1, weight=0.0, delay=1.0)
    assert quantised(g).synapses.weight.tolist() == [0]


def test_a_format_rounds_to_nearest_with_ties_to_even():
    form = Format(8, 0, 0.5, 0.1, "none", 16, 8)
    assert form.units([0.25, 0.75, -0.25, -0.75, 1.1]).tolist() == [0, 2, 0, -2, 2]
    assert form.top == 127


# ---------------------------------------------------------------------------------------------------- refusals
@pytest.mark.parametrize(("own", "text"), [
    ({"synapse": "exp"}, "synapse = 'exp': a synaptic current moves V between events.*mode = \"tick\""),
    ({"synapse": ["delta", "exp"]}, "synapse = 'exp'"),
    ({"i_offset": 0.1}, "i_offset is not 0: it moves V between events.*deliver it as spikes.*neuron 0"),
    ({"i_offset": [0.0, 0.0, 0.2, 0.0]}, "i_offset is not 0.*neuron 2"),
    ({"v_thresh": -65.0, "v_reset": -70.0}, "v_thresh is not above v_rest.*raise v_thresh or lower v_rest"),
    ({"v_reset": -50.0}, "v_reset is not below v_thresh.*lower v_reset"),
])
def test_what_event_mode_cannot_keep_is_refused_by_it_with_node_condition_and_remedy_and_else_ticks(own, text):
    with pytest.raises(Mistake, match=f'node "n": {text}'):
        quantised(graph(**own), mode="event")
    assert quantised(graph(**own)).fixed.report["mode"] == "tick"
    assert quantised().fixed.report["mode"] == "event"


@pytest.mark.parametrize(("own", "text"), [
    ({"v_rest": [-65.0, -65.0, -65.0, -64.0]}, "v_rest differs within the population.*neuron 3"),
    ({"tau_m": 0.05}, "tau_m is shorter than the tick of 0.1 ms.*finer tick"),
    ({"synapse": "exp", "tau_syn": [[5.0, 5.0, 0.05, 5.0]]}, "tau_syn of receptor 0 is shorter than .*neuron 2"),
    ({"synapse": "alpha"}, "synapse = 'alpha' has no integer twin yet: only delta and exp synapses have"),
])
def test_what_no_mode_can_keep_is_refused_with_node_condition_and_remedy(own, text):
    for mode in (None, "event", "tick"):
        with pytest.raises(Mistake, match=f'node "n": {text}'):
            quantised(graph(**own), mode=mode)


@pytest.mark.parametrize(("own", "text"), [
    ({"tau_w": 50.0, "b_w": 1.0}, r"a spike-triggered current \(b_w\) has no integer twin"),
    ({"tau_th": 50.0, "b_th": 1.0}, r"a threshold step \(b_th\) has no integer twin"),
])
def test_what_a_spike_starts_is_refused(own, text):
    with pytest.raises(Mistake, match=f'node "n": {text}'):
        quantised(graph(**own))


def test_currents_and_other_models_are_refused():
    g = graph()
    g.add_node("push", model="dc", amplitude=0.1)
    g.add_edge("push", "n")
    with pytest.raises(Mistake, match=r'node "(push|n)": an injected current moves V between events.*spikes'):
        quantised(g)
    g = graph()
    g.add_node("q", model="qif")
    with pytest.raises(Mistake, match='node "q": qif has no integer twin yet: only lif has'):
        quantised(g)


@pytest.mark.parametrize(("options", "text"), [
    ({"tick": 0.0}, "tick must be > 0 and finite, not 0 ms"), ({"tick": -0.1}, "tick must be > 0"),
    ({"tick": math.inf}, "tick must be > 0 and finite"), ({"tick": "soon"}, "tick must be a time in ms, not 'soon'"),
    ({"tick": math.nan}, "tick must be > 0"),
    ({"weight_bits": 1}, "weight_bits must be a whole number from 2 to 16, not 1"),
    ({"weight_bits": 17}, "weight_bits"), ({"weight_bits": 8.0}, "weight_bits"), ({"weight_bits": True}, "weight_bits"),
    ({"v_bits": 7}, "v_bits must be a whole number from 8 to 32, not 7"), ({"v_bits": 33}, "v_bits"),
    ({"v_bits": "24"}, "v_bits"),
    ({"guard_bits": -1}, "guard_bits must be a whole number from 0 to 32"), ({"guard_bits": 2.5}, "guard_bits"),
    ({"decay_bits": 0}, "decay_bits must be a whole number from 4 to 31"),
    ({"decay": "mull"}, "there is no decay 'mull' \\(did you mean 'mul'\\?\\)"),
    ({"decay": "none"}, 'tau_m is finite, which decay = "none" would drop: take "lut", "mul" or "linear"'),
    ({"profile": "loihi1_laav"}, "there is no profile 'loihi1_laav'"),
    ({"decay": "mul", "decay_bits": 6}, 'node "n": tau_m of 200 ticks cannot be a factor of 6 bits.*decay_bits'),
    ({"decay": "linear", "guard_bits": 0, "weight_bits": 2}, "a linear decay of less than one LSB a tick"),
])
def test_silly_options_are_refused(options, text):
    with pytest.raises(Mistake, match=text):
        quantised(**options)


def test_a_grid_on_which_the_threshold_vanishes_is_refused():
    with pytest.raises(Mistake, match="v_thresh rounds to v_rest on a grid of 64 mV: take more v_bits or guard_bits"):
        quantised(graph(weight=50.0), weight_bits=2, guard_bits=0)
    with pytest.raises(Mistake, match="v_thresh rounds to v_reset"):
        quantised(graph(weight=16.0, v_reset=-51.0), weight_bits=2, guard_bits=0)


def test_only_a_compiled_float_network_can_be_quantised():
    fixed = quantised()
    with pytest.raises(Mistake, match="is an integer one already"):
        quantise(fixed)
    with pytest.raises(Mistake, match="takes a compiled network, not a MultiDiGraph: compile the graph first"):
        quantise(graph())


def test_weights_too_large_to_be_summed_exactly_are_refused():
    g = graph(weight=[1e20] * 40)
    recorded = simulate(compile(graph()), 5.0, record={"n": ["v"]})
    with pytest.raises(Mistake, match="too much to be summed exactly"):
        quantise(compile(g), recorded, v_bits=32)


def test_huge_weights_do_not_coarsen_the_threshold():
    fixed = quantised(graph(weight=[0.1] * 39 + [-3000.0]))
    assert reported(fixed)["threshold"]["residual"] < 15.0 / 2**12
    assert fixed.fixed.formats["n"].guard > 9


def test_integers_are_those_of_the_network_whatever_became_of_the_graph():
    g = graph()
    net = compile(g)
    before = quantise(net).digest
    g.nodes["n"]["tau_m"], g.nodes["n"]["v_thresh"] = 50.0, -40.0
    assert quantise(net).digest == before


def test_options_of_tick_mode_alone_make_it_the_default():
    assert quantise(compile(graph())).fixed.report["mode"] == "event"
    for own in ({"spikes": 1}, {"i_bits": 12}, {"i_decay": "shift"}, {"input_first": True}, {"min1": False}):
        assert quantise(compile(graph()), **own).fixed.report["mode"] == "tick"


def test_a_decay_that_needs_too_long_a_table_is_refused():
    g = graph()
    g.nodes["n"]["tau_m"] = 1e9
    with pytest.raises(Mistake, match=r'node "n": .*a time constant of 1e\+10 ticks would need a table .*"mul"'):
        quantise(compile(g), mode="event")


def test_a_decay_to_nothing_within_a_tick_loses_nothing_that_was_asked_for():
    g = nx.MultiDiGraph()
    g.add_node("n", model="lif", tau_m=1.0, v_rest=0.0, v_reset=0.0, v_thresh=5.0, i_offset=0.5)
    fixed = quantise(compile(g), tick=1.0, decay="shift")
    (told,) = fixed.fixed.report["populations"]
    v = simulate(fixed, 20.0, record={"n": ["v"]}, record_at=1.0, backend="python").recorded["n"]["v"]
    assert abs(told["i_offset"]["residual_mv"] - abs(v[-1, 0] - 0.5)) < 1e-9
