"""tune: the fewest bits that keep a quality, whoever does the work and whatever ends it."""

import itertools
import json
import sys
import types
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import networkx as nx
import numpy as np
import pytest
from eventsnn.exporters import read

import eventsnn as es
from eventsnn.bits import memory_bits
from eventsnn.cli import main
from eventsnn.commands.options import BAD, DONE, NO
from eventsnn.errors import Mistake
from eventsnn.lattice import Search
from eventsnn.likeness import floor, resemblance, synchrony
from eventsnn.tuning import tune

SPACE = {"weight_bits": (8, 5, 3), "v_bits": (24, 14, 10), "decay_bits": (16, 6), "tick": (0.1,)}


def graph():
    g = nx.MultiDiGraph()
    rng = np.random.default_rng(2)
    g.add_node("in", model="spikes", size=3, times=[np.sort(rng.uniform(0.0, 38.0, 12)).tolist() for _ in range(3)])
    g.add_node("n", model="lif", size=4, tau_m=20.0, v_rest=0.0, v_reset=0.0, v_thresh=2.0, tau_refrac=1.0)
    g.add_edge("in", "n", rule="all_to_all", weight=np.linspace(0.61, 2.41, 12).tolist(), delay=1.0)
    return g


@pytest.fixture(scope="module")
def network():
    return es.compile(graph())


def fineness(fixed):
    """A task that more bits are never worse at, and that needs no run."""
    if fixed.fixed is None:
        return 3.0
    (form,) = fixed.fixed.formats.values()
    return min(form.weight_bits, 6) / 6 + min(form.bits, 12) / 12 + (form.decay_bits > 5)


@pytest.mark.parametrize("seed", range(30))
def test_the_search_finds_the_smallest_of_every_lattice_where_more_is_never_worse(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 6, 3)
    axes = {str(a): tuple(range(n)) for a, n in enumerate(sizes)}
    saved = [np.concatenate([[0], np.cumsum(rng.integers(1, 30, n))]) for n in sizes]
    lost = [np.concatenate([[0], np.cumsum(rng.integers(0, 4, n))]) for n in sizes]

    def bits(place):
        return int(1000 - sum(s[k] for s, k in zip(saved, place, strict=True)))

    def good(place):
        return sum(x[k] for x, k in zip(lost, place, strict=True)) <= 5

    state, running, tried = Search(axes), [], []
    many = 1 + seed % 3
    while True:
        asked = state.next(many, set(running))
        assert [place for place in asked if place not in state.alone and state.estimate(place) >= state.smallest] == []
        running += asked
        if not running:
            break
        place = running.pop(int(rng.integers(len(running))))                 # they come in in any order
        tried.append(place)
        state.learn(place, bits(place), good(place))
    assert len(set(tried)) == len(tried)
    everything = list(itertools.product(*(range(n) for n in sizes)))
    assert state.smallest == min(bits(place) for place in everything if good(place))
    assert len(tried) <= len(everything)


def test_the_smallest_that_keeps_the_score_is_the_smallest_of_all(network):
    found = tune(network, score=fineness, space=SPACE, workers=1)
    everything = [dict(zip(SPACE, values, strict=True)) for values in itertools.product(*SPACE.values())]
    sizes = {}
    for options in everything:
        fixed = es.quantise(network, **options)
        if fineness(fixed) >= found.target:
            sizes[sum(memory_bits(fixed).values())] = options
    assert found.best.bits == min(sizes)
    assert found.best.options == sizes[min(sizes)] != found.trials[0].options
    assert len(found.trials) < len(everything)
    assert not found.exhausted
    assert not found.interrupted
    assert found.target == found.trials[0].quality == fineness(es.quantise(network))


def test_without_a_task_spikes_are_kept_as_like_the_float_runs_as_its_floor(network):
    found = tune(network, until=40.0, space=SPACE, workers=1)
    run = es.simulate(network, 40.0, backend="python")
    assert len(run.spikes) > 20
    assert found.target == floor(run, "spike_sync")
    calibration = es.simulate(network, 40.0, backend="python", record={"n": ["v"]})
    assert found.best is not None, found
    best = es.simulate(es.quantise(network, calibrate=calibration, **found.best.options), 40.0, backend="python")
    assert found.best.quality == synchrony(run.spikes, best.spikes, 40.0)
    assert found.best.quality >= found.target
    assert found.best.bits < found.trials[0].bits
    worse = [t for t in found.trials if t.quality < found.target]
    assert worse                                        # else nothing was searched for


def test_the_front_is_what_nothing_beats(network):
    found = tune(network, until=40.0, space=SPACE, workers=1)
    for t in found.front:
        assert not [u for u in found.trials if u.bits <= t.bits and u.quality > t.quality]
        assert not [u for u in found.trials if u.bits < t.bits and u.quality >= t.quality]
    assert np.all(np.diff([t.bits for t in found.front]) > 0)


def test_processes_find_what_one_finds(network):
    one = tune(network, score=fineness_by_module, space=SPACE, workers=1)
    two = tune(network, score=fineness_by_module, space=SPACE, workers=2)
    assert two.best == one.best
    assert two.trials[0] == one.trials[0]


def fineness_by_module(fixed):
    return fineness(fixed)


def test_a_budget_ends_the_search_and_the_tuning_says_so(network):
    found = tune(network, 3, score=fineness, space=SPACE, workers=1)
    assert len(found.trials) == 3
    assert found.exhausted
    assert "budget is spent" in found.text()


def test_ctrl_c_leaves_what_there_is(network):
    asked = []

    def impatient(fixed):
        asked.append(fixed)
        if len(asked) == 6:                             # the float network, the base, and three more are through
            raise KeyboardInterrupt
        return fineness(fixed)

    found = tune(network, score=impatient, space=SPACE, workers=1)
    assert found.interrupted
    assert len(found.trials) == 4
    assert found.best is not None
    assert "interrupted" in found.text()


def test_progress_is_told_and_ends(network):
    told = []
    tune(network, score=fineness, space=SPACE, workers=1, progress=lambda reached, end: told.append((reached, end)))
    assert [reached for reached, _ in told] == list(range(2, len(told) + 2))
    assert all(end >= reached for reached, end in told)
    assert told[-1][0] == told[-1][1]


def test_a_scheduler_is_asked_by_dasks_own_interface(network, monkeypatch):
    """The client's names are distributed's: Client(address) as a context, scheduler_info, get_executor(pure=...)."""
    seen = []

    class Client:
        def __init__(self, address):
            seen.append(address)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            seen.append("closed")

        def scheduler_info(self):
            return {"workers": {"one": {}, "two": {}}}

        def get_executor(self, pure):
            assert pure is False
            return ThreadPoolExecutor(2)

    monkeypatch.setitem(sys.modules, "dask", types.ModuleType("dask"))
    monkeypatch.setitem(sys.modules, "dask.distributed", types.SimpleNamespace(Client=Client))
    found = tune(network, score=fineness, space=SPACE, scheduler="tcp://10.0.0.1:8786")
    assert seen == ["tcp://10.0.0.1:8786", "closed"]
    assert found.best == tune(network, score=fineness, space=SPACE, workers=1).best


def test_a_scheduler_without_dask_says_what_to_install(network, monkeypatch):
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(Mistake, match=r"pip install 'eventsnn\[dask\]'"):
        tune(network, score=fineness, scheduler="tcp://10.0.0.1:8786")


def test_what_cannot_be_tuned_is_refused_with_the_remedy(network):
    for options, words in (({}, "until=T"), ({"until": 10.0, "measure": "sync"}, "no measure 'sync'"),
                           ({"score": fineness, "space": {"weight_bit": (8,)}}, "weight_bits"),
                           ({"score": fineness, "space": {"weight_bits": 8}}, "a list of values"),
                           ({"score": fineness, "workers": 0}, "workers is 0"),
                           ({"score": lambda fixed: 1.0, "workers": 2}, "workers=1"),
                           ({"score": fineness, "workers": 1, "space": {"v_bits": (40,)}}, "v_bits must be")):
        with pytest.raises(Mistake, match=words):
            tune(network, **options)
    with pytest.raises(Mistake, match="budget is 0"):
        tune(network, 0, score=fineness)


def test_what_quantise_refuses_is_a_trial_that_keeps_nothing(network):
    found = tune(network, score=fineness, space={**SPACE, "tick": (0.1, 50.0)}, workers=1)
    (refused,) = [t for t in found.trials if t.bits is None]
    assert "tau_m" in refused.why
    assert not found.good(refused)
    assert found.best.options["tick"] == 0.1


def test_statistics_resemble_themselves_and_silence_resembles_nothing():
    run = es.simulate(es.compile(graph()), 40.0, backend="python")
    assert resemblance(run.spikes, run.spikes, 40.0) == 1.0
    silent = es.Spikes.make([], [], run.spikes.populations)
    assert resemblance(run.spikes, silent, 40.0) == 0.0
    assert synchrony(run.spikes, run.spikes, 40.0) == 1.0


def test_the_command_writes_the_tuning_its_picture_and_the_best_model(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    es.save(graph(), "net.json")
    axes = ["--weight-bits", "8", "--weight-bits", "7", "--v-bits", "24", "--v-bits", "14", "--decay-bits", "12",
            "--tick", "0.1", "--workers", "1"]
    assert main(["tune", "net.json", "--until", "40", *axes, "--out", "t"]) == DONE
    said = capsys.readouterr().out
    told = json.loads((tmp_path / "t" / "tuning.json").read_text())
    assert "smallest that keeps it" in said
    assert (tmp_path / "t" / "pareto.png").read_bytes().startswith(b"\x89PNG")
    fixed = read(tmp_path / "t" / "model")
    assert sum(memory_bits(fixed).values()) == told["best"]["bits"] < told["base"]["bits"]
    assert main(["tune", "net.json", "--until", "40", *axes, "--at-least", "1.5", "--out", "u", "-q"]) == NO
    assert not (tmp_path / "u" / "model").exists()
    assert main(["tune", "seed"]) == BAD
    assert "no task" in capsys.readouterr().err
    assert main(["tune", "nowhere.json"]) == BAD


def test_digits_are_chosen_by_images_that_neither_train_nor_test_them():
    from eventsnn.scenarios import digits

    trained = []
    usual = digits.Rates(*(np.ones(shape) for shape in ((64, 64), 64, (64, 10), 10)))
    with mock.patch.object(digits, "train", lambda images, labels: trained.extend(images) or usual), \
            mock.patch.object(digits, "busiest", return_value=None):
        task = digits.task()
    parts = [{image.tobytes() for image in images} for images in (trained, task.score.args[0], task.test.args[0])]
    assert [len(part) for part in parts] == [1010, 337, 450]
    assert len(set().union(*parts)) == 1797
    learnt, tested, *_ = digits.data()
    assert parts[2] == {image.tobytes() for image in tested}
    assert parts[0] | parts[1] == {image.tobytes() for image in learnt}
