"""Pictures: they exist, say what they show, and stay legible when a run is large."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from eventsnn import plot
from eventsnn.compare import compare
from eventsnn.errors import Mistake
from eventsnn.result import Result
from eventsnn.spikes import Spikes


def some(neurons, rate, until, seed=0, drop=0.02):
    rng = np.random.default_rng(seed)
    n = rng.poisson(neurons * rate * until / 1000.0)
    t, who = rng.uniform(0.0, until, n), rng.integers(0, neurons, n)
    labels = (("exc", 0, neurons - neurons // 5), ("inh", neurons - neurons // 5, neurons // 5))
    keep = rng.random(n) >= drop
    late = np.minimum(np.maximum(t + rng.normal(0.0, 0.1, n), 0.0), np.nextafter(until, 0.0))
    at = np.linspace(0.0, until, 50, endpoint=False)
    v = {"exc": {"v": np.sin(at)[:, None] * np.ones((1, labels[0][2]))}}
    return tuple(Result(s, v, at, {}, {"spikes": len(s), "synaptic_operations": 0, "neuron_updates": 0},
                        {"until": until}) for s in (Spikes.make(t, who, labels),
                                                    Spikes.make(late[keep], who[keep], labels)))


@pytest.fixture
def pair():
    return some(20, 20.0, 200.0)


def is_picture(path):
    return path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" and path.stat().st_size > 10_000


def test_a_run_shows_raster_rates_and_traces(pair, tmp_path):
    figure = plot.run(pair[0])
    assert isinstance(figure, Figure)
    raster, rate, v = figure.axes[:3]
    assert sum(len(c.get_offsets()) for c in raster.collections) == len(pair[0].spikes)
    assert "Hz" in rate.get_ylabel()
    assert "mV" in v.get_ylabel()
    assert v.get_xlabel() == "time (ms)"
    assert is_picture(plot.save(figure, tmp_path / "run.png"))


def test_the_rates_of_a_picture_integrate_to_the_spikes(pair):
    line = plot.run(pair[0]).axes[1].lines[0]
    exc = pair[0].spikes.of("exc")
    assert np.mean(line.get_ydata()) == pytest.approx(len(exc) / 16 / 0.2)


def test_a_comparison_shows_both_rasters_traces_and_time_differences(pair, tmp_path):
    report = compare(*pair)
    assert is_picture(report.plot(tmp_path / "cmp.png"))
    figure = plot.compare(*pair, labels=("float", "fixed"))
    raster, v, dt = figure.axes[:3]
    assert len(raster.collections[0].get_segments()) == len(pair[0].spikes)
    assert len(raster.collections[1].get_segments()) == len(pair[1].spikes)
    assert len(v.lines) == 2
    assert "t(fixed) - t(float) (ms)" in dt.get_ylabel()
    assert [t.get_text() for t in raster.get_legend().get_texts()] == ["float", "fixed"]


def test_equal_runs_and_silence_have_pictures_too(pair, tmp_path):
    figure = plot.compare(pair[0], pair[0])
    assert any("equal to the last bit" in text.get_text() for text in figure.axes[-1].texts)
    empty = Spikes.make([], [])
    assert compare(empty, Spikes.make([1.0], [0])).plot(tmp_path / "a.svg").exists()
    assert compare(empty, empty).plot(tmp_path / "b.pdf").exists()
    silent = Result(Spikes.make([], [], [("p", 0, 3)]), {}, np.zeros(0), {}, {}, {"until": 10.0})
    assert is_picture(plot.save(plot.run(silent), tmp_path / "silent.png"))


def test_large_runs_are_thinned_and_say_so():
    a, b = some(5000, 200.0, 300.0)
    raster = plot.run(a).axes[0]
    assert sum(len(c.get_offsets()) for c in raster.collections) <= plot.MARKS
    assert "of 5,000 shown" in raster.get_ylabel()
    figure = plot.compare(a, b, divergence=(200.0, 4321))
    top = figure.axes[0]
    assert f"{plot.ROWS} of" in top.get_ylabel()
    chosen, span = plot._excerpt(a.spikes, b.spikes, 300.0, (200.0, 4321))
    assert 4321 in chosen
    assert 0.0 < span[0] < 200.0 < span[1] < 300.0
    assert top.get_xlim() == span


def test_a_picture_leaves_matplotlibs_global_state_alone(pair, tmp_path):
    import sys

    before = "matplotlib.pyplot" in sys.modules
    plot.save(plot.compare(*pair), tmp_path / "x.png")
    assert ("matplotlib.pyplot" in sys.modules) == before


def test_an_unknown_kind_of_picture_is_refused(pair, tmp_path):
    with pytest.raises(Mistake, match=r"\.png, \.pdf or \.svg, not '\.jpg'"):
        plot.save(plot.run(pair[0]), tmp_path / "x.jpg")
