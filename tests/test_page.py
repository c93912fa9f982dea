"""The report as a page: whole, by itself, and true to the report's data."""

import re
from html.parser import HTMLParser

import networkx as nx
import pytest

import eventsnn as es
from eventsnn import figures
from eventsnn.energy import FIGURES
from eventsnn.page import page

VOID = {"meta", "link", "img", "br"}


class Checked(HTMLParser):
    """Every tag that is opened is closed, in order; what is linked to is collected."""

    def __init__(self):
        super().__init__()
        self.open, self.links, self.tags, self.text = [], [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in ("src", "href", "srcset", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(text):
    parser = Checked()
    parser.feed(text)
    assert parser.open == []
    return parser, " ".join(parser.text)


@pytest.fixture(scope="module")
def report():
    g = nx.MultiDiGraph()
    g.add_node("a<b>", model="lif", size=6, tau_m=20.0, v_rest=0.0, v_reset=0.0, v_thresh=4.0, tau_refrac=2.0)
    g.add_node("drive", model="poisson", size=6, rate=800.0)
    g.add_edge("drive", "a<b>", rule="fixed_indegree", indegree=2, weight=1.03, delay=1.0)
    network = es.compile(g, seed=1)
    run = es.simulate(network, 60.0, record={"a<b>": ["v"]}, backend="python")
    return es.compare(run, es.simulate(es.quantise(network, weight_bits=4), 60.0, record={"a<b>": ["v"]},
                                       backend="python"),
                      score=(0.97, 0.96))


@pytest.fixture(scope="module")
def text(report, tmp_path_factory):
    return report.html(tmp_path_factory.mktemp("page") / "report.html").read_text("utf-8")


def test_the_page_is_whole_and_asks_nobody_for_anything(text):
    parser, _ = read(text)
    assert {link.partition(",")[0].partition(";")[0] for link in parser.links} <= {
        "data:", "data:image/svg+xml", "data:image/png"}
    assert not {"script", "iframe", "object"} & set(parser.tags)
    assert "url(" not in text.partition("</style>")[0]
    assert "@import" not in text
    assert parser.tags.count("img") == 5
    assert len(text) < 3_000_000


def test_the_same_numbers_make_the_same_picture(report):
    first, again = (figures.encoded(figures.distances(report.data["distances"])) for _ in range(2))
    assert first == again
    assert first[1] == "svg+xml"


def test_a_picture_that_would_be_a_large_svg_is_a_png(report, monkeypatch):
    monkeypatch.setattr(figures, "LARGE", 1000)
    image, kind = figures.encoded(figures.distances(report.data["distances"]))
    assert (image[1:4], kind) == (b"PNG", "png")


def test_names_are_escaped_and_every_source_is_printed(text):
    assert "<b>" not in re.sub(r'<b>[^<]*</b>', "", text)
    _, words = read(text)
    assert "a<b>" in words
    for figure in FIGURES:
        assert figure.source in words
        assert figure.scope in words
    for name in ("Effective_MACs", "Effective_ACs", "Dense", "activation sparsity", "connection sparsity", "footprint"):
        assert name in words


def test_numbers_of_the_page_are_the_reports(report, text):
    _, words = read(text)
    data = report.data
    frozen = data["frozen"]["populations"][0]["arithmetic"]
    for value in (f"{frozen['sqnr_db']:.1f}", f"{frozen['rmse_mv']:.4g}", f"{data['matching'][1]['matched']:,}",
                  f"{data['distances']['spike_sync']['between_seeds']:.4g}", f"{data['statistics']['rate']['ks']:.4g}"):
        assert value in words


def test_bare_spikes_have_a_page_too():
    a = es.Spikes.make([1.0, 2.0], [0, 1], [("p", 0, 2)])
    _, words = read(page(es.compare(a, a)))
    assert "equal to the last bit" in words


def test_silence_has_a_page(monkeypatch):
    monkeypatch.setattr(figures, "encoded", lambda figure: (b"", "png"))
    empty = es.Spikes.make([], [], [("p", 0, 2)])
    assert "0 spikes" in read(page(es.compare(empty, empty)))[1]
