"""quantise in tick mode: what weights, currents and biases become, and what the report predicts of it."""

import math

import networkx as nx
import numpy as np
import pytest
from eventsnn.exporters.fixed import clocked, psp, quantise

from eventsnn.errors import Mistake
from eventsnn.graph import compile
from eventsnn.network import flat
from eventsnn.simulate import simulate


def graph(weight=0.05, times=(1.0,), **own):
    """One source onto neurons of exp synapses that only integrate, unless told otherwise."""
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", times=list(times))
    g.add_node("n", model="lif", **{"size": 1, "tau_m": 20.0, "cm": 0.2, "v_rest": -65.0, "v_reset": -65.0,
                                    "v_thresh": math.inf, "synapse": "exp", "tau_syn": [5.0], **own})
    g.add_edge("in", "n", rule="all_to_all", weight=weight, delay=1.0)
    return g


def reported(fixed, name="n"):
    return next(p for p in fixed.fixed.report["populations"] if p["name"] == name)


def above_rest(net, until, step=0.1):
    return simulate(net, until, backend="python", record={"n": ["v"]}, record_at=step).recorded["n"]["v"] + 65.0


@pytest.mark.parametrize("decay", ["mul", "lut", "shift"])
@pytest.mark.parametrize("tau_m", [20.0, math.inf])
def test_a_psp_has_its_exact_area_whatever_the_integers_make_of_the_time_constants(decay, tau_m):
    """w R tau_syn; and of a perfect integrator the exact height, w tau_syn / cm."""
    fixed = quantise(compile(graph(tau_m=tau_m)), weight_bits=16, v_bits=32, i_bits=32, i_decay=decay,
                     decay=None if math.isinf(tau_m) else decay)
    v = above_rest(fixed, 400.0)[:, 0]
    if math.isinf(tau_m):
        assert v[-1] == pytest.approx(0.05 * 5.0 / 0.2, rel=2e-3)
    else:
        assert v.sum() * 0.1 == pytest.approx(0.05 * (20.0 / 0.2) * 5.0, rel=2e-3)


def test_the_area_that_the_report_predicts_is_the_one_that_the_emulator_has():
    for options in ({}, {"v_bits": 16, "i_bits": 16}, {"input_first": True, "rounding": "FLOOR", "v_bits": 16}):
        fixed = quantise(compile(graph()), **options)
        v = np.rint(above_rest(fixed, 250.0)[:, 0] / fixed.by_name["n"].scale)
        weight = int(flat(fixed.synapses).weight[0])
        assert v.sum() == psp.psp_area(fixed.groups[0].params[0], weight, 0)
        (entry,) = reported(fixed)["psp_area_loss"]
        p, form = fixed.groups[0].params[0], fixed.fixed.formats["n"]
        left = 1 - p.rate / 2.0**p.bits, 1 - p.rate_i[0] / 2.0**p.bits_i[0]
        exact = weight / 2.0**form.currents[0].fall / (left[0] * left[1])
        assert entry["loss"] == pytest.approx(1 - v.sum() / exact, abs=1e-9)
    assert entry["receptor"] == 0


@pytest.mark.parametrize("decay", ["mul", "lut", "shift"])
def test_i_offset_leads_to_r_i_in_the_long_run(decay):
    g = graph(i_offset=[0.031, -0.02], size=2)
    fixed = quantise(compile(g), decay=decay, v_bits=32)
    v = above_rest(fixed, 600.0, 599.0)[-1]
    residual = reported(fixed)["i_offset"]["residual_mv"]
    assert v == pytest.approx([3.1, -2.0], abs=residual + reported(fixed)["bias_mv"] + 1e-3)
    assert residual < 1e-3
    assert reported(quantise(compile(g), decay=decay, v_bits=12))["i_offset"]["residual_mv"] > 0.01


def test_every_integer_is_its_float_on_the_grid_of_its_register():
    g = graph(v_thresh=-50.3, v_reset=-66.1, v_init=-64.2, i_offset=0.01, i_init=[0.02], tau_refrac=1.4, size=3,
              tau_m=[10.0, 20.0, 30.0])
    fixed = quantise(compile(g), tick=0.25)
    p, s, form = fixed.groups[0].params, fixed.groups[0].state, fixed.fixed.formats["n"]
    for k, tau in enumerate((10.0, 20.0, 30.0)):
        marks = p.theta[k], p.reset[k], s.v[k]
        assert marks == (round(14.7 / form.lsb), round(-1.1 / form.lsb), round(0.8 / form.lsb))
        assert p.refrac[k] == 6
        lift = tau / 0.2 * (1 - p.rate[k] / 2.0**form.decay_bits)
        assert p.bias[k] == round(0.01 * lift / form.lsb)
        gain = lift * (5.0 / 0.25) * (1 - p.rate_i[k, 0] / 2.0**form.currents[0].decay_bits)
        unit = form.lsb / 2.0**form.currents[0].fall
        assert s.i[k, 0] == round(0.02 * gain / unit)
        assert fixed.by_name["n"].units["i0"][k] == pytest.approx(unit / gain)
        step = unit * 2.0**fixed.fixed.projections[0].shift
        assert flat(fixed.synapses).weight[k] * unit == pytest.approx(0.05 * gain, abs=step / 2)
    assert form.decay_bits == 17
    assert p.rate.tolist() == [round(math.exp(-0.25 / tau) * 2**17) for tau in (10.0, 20.0, 30.0)]


@pytest.mark.parametrize("decay", ["mul", "lut", "shift"])
def test_the_report_has_the_effective_time_constants_of_v_and_of_each_current(decay):
    g = graph(synapse=["exp", "delta", "exp"], tau_syn=[5.0, None, 12.0])
    told = reported(quantise(compile(g), decay=decay, i_decay=decay))
    fixed = {c["receptor"]: c for c in told["currents"]}
    assert fixed.keys() == {0, 2}
    for asked, it in ((20.0, told["tau_m_ms"]), (5.0, fixed[0]["tau_syn_ms"]), (12.0, fixed[2]["tau_syn_ms"])):
        assert it["asked"] == asked
        if decay == "shift":
            d = round(math.log2(asked / 0.1))
            assert it["effective"] == pytest.approx(-0.1 / math.log1p(-2.0**-d))
        else:
            assert it["effective"] == pytest.approx(asked, rel=1e-3)


def test_recorded_currents_come_back_in_nanoamperes_near_the_float_ones():
    g = graph(times=[1.0, 3.0, 3.0, 8.0], size=2, tau_m=[10.0, 30.0], synapse=["exp", "delta", "exp"],
              tau_syn=[5.0, None, 2.0])
    g.add_edge("in", "n", rule="all_to_all", weight=-0.03, delay=2.0, receptor=2)
    net = compile(g)
    record = {"n": ["v", "i"]}
    exact, fixed = (simulate(n, 20.0, record=record, record_at=0.1, backend="python").recorded["n"]
                    for n in (net, quantise(net, weight_bits=16)))
    assert fixed["i"].shape == exact["i"].shape
    assert np.abs(fixed["i"] - exact["i"]).max() < 0.03 * np.abs(exact["i"]).max()
    assert np.abs(fixed["v"] - exact["v"]).max() < 0.05 * np.abs(exact["v"] + 65.0).max()


def test_decays_that_do_not_come_to_rest_at_0_are_warned_of():
    told = quantise(compile(graph()), rounding="ROUND").fixed.report
    assert any("V does not decay to 0 but rests at 100 LSB and -100 LSB" in w for w in told["warnings"])
    assert any("the current of receptor 0 does not decay to 0 but rests at 25 LSB" in w for w in told["warnings"])
    told = quantise(compile(graph()), decay="shift", min1=False).fixed.report
    assert any("V does not decay to 0 but rests at 255 LSB and -255 LSB" in w for w in told["warnings"])
    assert not any("rests" in w for w in quantise(compile(graph()), decay="shift").fixed.report["warnings"])


def test_where_there_is_no_room_the_loss_of_area_is_told():
    told = quantise(compile(graph()), v_bits=12, i_bits=12).fixed.report
    assert any("predicted loss of PSP area" in w for w in told["warnings"])
    assert not any("PSP" in w for w in quantise(compile(graph()), v_bits=32, i_bits=32).fixed.report["warnings"])


# ---------------------------------------------------------------------------------------------------- ranges
def driven(rate=8000.0):
    g = nx.MultiDiGraph()
    g.add_node("drive", model="poisson", size=20, rate=rate)
    g.add_node("n", model="lif", size=20, tau_m=20.0, cm=0.2, v_rest=-65.0, v_reset=-65.0, v_thresh=-50.0,
               synapse=["exp", "exp"], tau_syn=[5.0, 10.0])
    g.add_edge("drive", "n", rule="one_to_one", weight=0.004, delay=0.5)
    return g


def test_a_current_has_room_for_what_a_fast_source_piles_up_with_and_without_a_calibration():
    net = compile(driven())
    run = simulate(net, 100.0, record={"n": ["v", "i"]}, backend="python")
    analytic, recorded = quantise(net), quantise(net, run)
    for fixed in (analytic, recorded):
        result = simulate(fixed, 100.0, strict=True, backend="python", record={"n": ["i"]})
        assert len(result.spikes) > 20
        top = 2.0**23 * fixed.by_name["n"].units["i0"]
        assert (result.recorded["n"]["i"].max(axis=(0, 2)) < top).all()
    told = reported(recorded)
    moved = run.recorded["n"]["i"][..., 0] * told["currents"][0]["lsb_mv"] / recorded.by_name["n"].units["i0"]
    assert told["currents"][0]["range_mv"] == pytest.approx(max(1.25 * moved.max(), moved.mean() + 6 * moved.std()))
    assert recorded.fixed.report["calibration"] == "recorded"
    assert told["accepted"] == {"bias": True, "noise": True, "saturation": True}


def test_a_current_that_is_finer_than_v_never_gets_coarser():
    """fall >= 0 whatever the widths: V is made coarser where the current has no room."""
    for bits in ({"v_bits": 32, "i_bits": 8}, {"v_bits": 8, "i_bits": 32}, {"v_bits": 32, "i_bits": 32}):
        fixed = quantise(compile(driven()), **bits)
        assert all(0 <= c.fall <= 24 for c in fixed.fixed.formats["n"].currents)
        assert all(q.shift >= 0 for q in fixed.fixed.projections)


# ---------------------------------------------------------------------------------------------------- networks
def cuba(n=20):
    """A balanced network of exp synapses, like Vogels and Abbott's, small."""
    g = nx.MultiDiGraph()
    for name, size in (("exc", 4 * n), ("inh", n)):
        g.add_node(name, model="lif", size=size, tau_m=20.0, cm=0.2, v_rest=-60.0, v_reset=-60.0, v_thresh=-50.0,
                   i_offset=0.12, tau_refrac=5.0, synapse=["exp", "exp"], tau_syn=[5.0, 10.0],
                   v_init={"uniform": [-60.0, -50.0]})
    for pre in ("exc", "inh"):
        for post in ("exc", "inh"):
            g.add_edge(pre, post, rule="bernoulli", p=0.3, receptor=int(pre == "inh"), delay=1.0,
                       weight=0.006 if pre == "exc" else -0.03)
    return g


def test_a_balanced_network_of_exp_synapses_fires_as_often_in_integers():
    net = compile(cuba(), seed=3)
    exact, run, wide = (simulate(n, 150.0, backend="python")
                        for n in (net, quantise(net), quantise(net, weight_bits=16, v_bits=32, i_bits=32)))
    assert run.counters["saturations"] == wide.counters["saturations"] == 0
    assert len(exact.spikes) > 150
    for ours in (run, wide):
        assert len(ours.spikes) == pytest.approx(len(exact.spikes), rel=0.06)
        early = int((exact.spikes.time < 15.0).sum())        # before chaos has parted them
        assert early > 10
        assert np.abs(ours.spikes.time[:early] - exact.spikes.time[:early]).max() < 0.3


def test_a_record_has_room_for_more_receptors_than_usual():
    g = graph(synapse=["exp"] * 6, tau_syn=[2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    g.add_edge("in", "n", rule="all_to_all", weight=0.1, delay=1.0, receptor=5)
    g.add_node("few", model="lif", size=2)
    g.add_edge("in", "few", rule="all_to_all", weight=1.0, delay=1.0)
    fixed = quantise(compile(g))
    assert fixed.groups[0].params.kind.shape == (3, 8)
    assert fixed.groups[0].params.receptors.tolist() == [6, 1, 1]
    assert (fixed.groups[0].params.kind[1:] == clocked.DIRECT).all()
    v = simulate(fixed, 10.0, backend="python", record={"n": ["v"], "few": ["v"]})
    assert v.recorded["n"]["v"][-1, 0] > -65.0
    assert v.recorded["few"]["v"].max() > -65.0


# ---------------------------------------------------------------------------------------------------- refusals
@pytest.mark.parametrize(("options", "text"), [
    ({"mode": "ticks"}, r"there is no mode 'ticks' \(did you mean 'tick'\?\)"),
    ({"rounding": "NEAREST"}, "there is no rounding 'NEAREST'"), ({"saturation": "none"}, "there is no saturation"),
    ({"compare": "=>"}, "there is no compare"), ({"i_decay": "expo"}, "there is no i_decay 'expo'"),
    ({"i_decay": "none"}, 'i_decay = "none" would never let a current end'),
    ({"i_bits": 40}, "i_bits must be a whole number from 8 to 32"), ({"spikes": 0}, "spikes must be a whole number"),
    ({"time_bits": 8}, "time_bits must be a whole number from 16 to 48"),
    ({"i_decay_bits": 3}, "i_decay_bits must be a whole number from 4 to 31"),
    ({"decay_bits": 6}, 'node "n": tau_m of 200 ticks cannot be a factor of 6 bits'),
    ({"i_decay_bits": 4}, 'node "n": tau_syn of 50 ticks cannot be a factor of 4 bits'),
    ({"decay": "none"}, 'tau_m is finite, which decay = "none" would drop'),
])
def test_silly_options_are_refused(options, text):
    with pytest.raises(Mistake, match=text):
        quantise(compile(graph()), **options)


def test_what_does_not_fit_its_register_is_refused():
    net = compile(graph(tau_m=math.inf, v_thresh=-50.0, i_offset=1000.0))
    with pytest.raises(Mistake, match='node "n": i_offset does not fit: take more v_bits'):
        quantise(net)


def test_where_v_comes_to_rest_off_0_no_area_is_promised():
    g = nx.MultiDiGraph()
    g.add_node("in", model="spikes", times=[0.0])
    g.add_node("n", model="lif", tau_m=12.8, v_rest=0.0, v_reset=0.0, v_thresh=6.0)
    g.add_edge("in", "n", weight=1.0, delay=0.1)
    told = reported(quantise(compile(g), decay="mul", mode="tick", rounding="ROUND", v_bits=12, guard_bits=2))
    assert told["rests_at_lsb"][0] > 0
    assert told["psp_area_loss"] == []
