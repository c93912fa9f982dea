"""Spike times against multi-precision references (tests/golden/oracle.json: 35 to 70 digits; made with mpmath)."""

import pytest
from oracle import CASES, OTHERS, READERS, SPIKING, read

import eventsnn as es


def test_every_kind_of_case_is_read():
    assert {case["model"] for case in CASES.values()} <= set(READERS) | OTHERS


@pytest.mark.parametrize("backend", ["compiled", "python", "simpy"])
@pytest.mark.parametrize("name", SPIKING)
def test_spike_times_are_those_of_the_oracle(name, backend):
    case = CASES[name]
    graph, until = read(name)
    result = es.simulate(es.compile(graph), until, backend=backend)
    closed = result.provenance["exactness"]["n"] == "closed form"
    exact = [float.fromhex(x) for x in case["spikes_f64"]]
    # The oracle's ODE cases list the first spikes only; every other case lists all of [0, t_end), be it none.
    assert len(result.spikes) == len(exact) if "tolerance_note" not in case else len(result.spikes) >= len(exact) > 0
    for time, true, tolerance in zip(result.spikes.time, exact, case["suggested_abs_tol_ms"], strict=False):
        assert abs(time - true) <= (tolerance if closed else max(tolerance, 1e-9))
    assert result.counters["n_ambiguous"] == 0


def test_the_six_spikes_of_a_constant_current_are_met_within_1e_12_ms():
    graph, until = read("lif_dc_nest")
    times = es.simulate(es.compile(graph), until).spikes.time
    exact = [float.fromhex(x) for x in CASES["lif_dc_nest"]["spikes_f64"]]
    assert max(abs(t - x) for t, x in zip(times, exact, strict=True)) < 1e-12


@pytest.mark.parametrize("name", [name for name in SPIKING if "V_end" in CASES[name]])
def test_the_final_potential_is_that_of_the_oracle(name):
    case = CASES[name]
    graph, until = read(name)
    result = es.simulate(es.compile(graph), until + 1.0, record={"n": ["v"]}, record_at=[until])
    assert result.recorded["n"]["v"][0, 0] == pytest.approx(float(case["V_end"]), abs=2e-11, rel=1e-11)
