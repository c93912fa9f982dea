"""Random networks for the tests that compare engines: small, nasty, full of ties."""

import math

import networkx as nx
from hypothesis import strategies as st

# Few distinct values, so that simultaneous arrivals, exact thresholds and coinciding time constants are the rule.
times = st.one_of(st.integers(0, 24).map(lambda k: k / 2), st.floats(0.0, 12.0))
delays = st.one_of(st.sampled_from([0.5, 1.0, 1.5, 2.0, 7.25]), st.floats(0.01, 5.0))
jumps = st.one_of(st.sampled_from([-5.0, 1.0, 2.5, 5.0, 10.0, 20.0]), st.floats(-8.0, 12.0))
amounts = st.one_of(st.sampled_from([-1.0, 0.5, 1.0, 2.0]), st.floats(-2.0, 3.0))


@st.composite
def lif_delta(draw, names=("a",)):
    subtract = draw(st.booleans())
    return {
        "model": "lif",
        "tau_m": draw(st.sampled_from([2.0, 5.0, 10.0, 17.3])),
        "cm": draw(st.sampled_from([1.0, 0.25])),
        "v_rest": 0.0,
        "v_reset": draw(st.sampled_from([0.0, 10.0, -3.0])),
        "v_thresh": draw(st.sampled_from([20.0, 15.0, math.inf])),
        "reset": "subtract" if subtract else "value",
        "tau_refrac": 0.0 if subtract else draw(st.sampled_from([0.0, 0.5, 2.0, 1.3])),
        "i_offset": draw(st.sampled_from([0.0, 0.0, 1.5, 3.0, -1.0])),
        "v_init": draw(st.sampled_from([0.0, 19.5, 20.0, -7.0, 41.0])),
    }


@st.composite
def lif_exp(draw):
    """Always two receptors, so that the kernel is compiled once: exp and exp, or exp and delta."""
    node = draw(lif_delta())
    node["tau_m"] = draw(st.sampled_from([5.0, 10.0, 10.000001, math.inf]))
    mixed = draw(st.booleans())
    tau = st.sampled_from([0.5, 2.0, 5.0, 10.0, 30.0])
    return {
        **node,
        "synapse": ["exp", "delta" if mixed else "exp"],
        "tau_syn": [draw(tau), None if mixed else draw(tau)],
        "i_init": [draw(st.sampled_from([0.0, 4.0])), 0.0],
    }


@st.composite
def lif_apart(draw):
    """Kept as scaled coefficients: two receptors, exp and exp or delta, and a spike-triggered current; short epochs."""
    node = draw(lif_delta())
    mixed, rests = draw(st.booleans()), node["tau_refrac"] > 0.0
    fast, slow = draw(st.permutations([0.5, 8.0]))
    return {
        **node,
        "tau_m": draw(st.sampled_from([1.0, 2.0, 5.0, 10.0, 50.0])),
        "synapse": ["exp", "delta" if mixed else "exp"],
        "tau_syn": [fast, None if mixed else slow],
        "i_init": [draw(st.sampled_from([0.0, 4.0])), 0.0],
        "tau_w": [30.0],
        "b_w": [draw(st.sampled_from([0.0, 1.0, -0.25] if rests else [0.0, 1.0]))],
    }


@st.composite
def lif_rising(draw):
    """Kept as scaled coefficients: alpha, exp and exp or delta, and a spike-triggered current; short epochs."""
    node = draw(lif_apart())
    first = draw(st.booleans())
    tau = draw(st.sampled_from([0.5, 3.0 * node["tau_m"]]))
    for name, entry in (("synapse", "alpha"), ("tau_syn", tau), ("i_init", draw(st.sampled_from([0.0, 4.0])))):
        node[name] = [entry, *node[name]] if first else [*node[name], entry]
    return node


@st.composite
def qif(draw):
    return {
        "model": "qif",
        "tau_m": draw(st.sampled_from([2.0, 10.0])),
        "a": draw(st.sampled_from([0.1, 0.5])),
        "v_rest": 0.0,
        "v_crit": draw(st.sampled_from([0.0, 5.0])),
        "v_peak": draw(st.sampled_from([20.0, math.inf])),
        "v_reset": draw(st.sampled_from([-3.0, 0.0])),
        "tau_refrac": draw(st.sampled_from([0.0, 1.0])),
        "i_offset": draw(st.sampled_from([0.0, 0.5, -0.5])),
        "v_init": draw(st.sampled_from([0.0, 6.0, -4.0])),
    }


@st.composite
def lif_whole(draw):
    """All that flows at once, in one layout: exp, alpha and delta receptors, adaptation, a moving threshold."""
    node = draw(lif_delta())
    kinds = draw(st.permutations(["exp", "alpha", "delta"]))
    tau = st.sampled_from([0.5, 2.0, 5.0, 10.0, 10.0 * (1 + 2.0**-40), 30.0])
    rests = node["tau_refrac"] > 0.0                      # else a spike that eases the next begets spikes for ever
    return {
        **node,
        "tau_m": draw(st.sampled_from([5.0, 10.0, 10.000001, math.inf])),
        "synapse": kinds,
        "tau_syn": [None if kind == "delta" else draw(tau) for kind in kinds],
        "i_init": [None if kind == "delta" else draw(st.sampled_from([0.0, 4.0])) for kind in kinds],
        "tau_w": [draw(tau)],
        "b_w": [draw(st.sampled_from([0.0, 1.0, -0.25] if rests else [0.0, 1.0]))],
        "tau_th": [draw(tau)],
        "b_th": [draw(st.sampled_from([0.0, 2.0, -1.0] if rests else [0.0, 2.0]))],
    }


def waves(draw, g, target):
    """A ramp, a sine and a decaying current into a population, each with its start and stop."""
    g.add_node("ramp", model="ramp", first=draw(amounts), last=draw(amounts), start=draw(times), stop=13.0)
    g.add_node("sine", model="sine", amplitude=draw(amounts), offset=draw(amounts), phase=draw(st.floats(-90.0, 270.0)),
               frequency=draw(st.sampled_from([5.0, 50.0, 800.0])), start=draw(times), stop=math.inf)
    g.add_node("fall", model="decay", amplitude=draw(amounts), tau=draw(st.sampled_from([1.0, 10.0])),
               start=draw(times), stop=draw(st.sampled_from([12.5, math.inf])))
    for current in ("ramp", "sine", "fall"):
        g.add_edge(current, target, weight=draw(st.sampled_from([1.0, 2.5])))


def signed(g, receptor, weight):
    """The weight, positive if the receptor of population x is a conductance."""
    reversal = g.nodes["x"].get("e_rev")
    return weight if reversal is None or reversal[receptor] is None else abs(weight)


@st.composite
def waved(draw, kind=lif_whole, size=2):
    """One recurrent population of a kind under spikes and every current there is."""
    g = nx.MultiDiGraph()
    g.add_node("x", size=size, **draw(kind()))
    g.add_node("given", model="spikes", size=2, times=[draw(st.lists(times, max_size=6)) for _ in range(2)])
    waves(draw, g, "x")
    receptors = len(g.nodes["x"]["synapse"])
    for _ in range(draw(st.integers(1, 4))):
        receptor = draw(st.integers(0, receptors - 1))
        weight = draw(jumps if g.nodes["x"]["synapse"][receptor] == "delta" else amounts)
        g.add_edge("given", "x", rule="all_to_all", weight=signed(g, receptor, weight), delay=draw(delays),
                   receptor=receptor)
    receptor = draw(st.integers(0, receptors - 1))
    weight = signed(g, receptor, draw(st.sampled_from([-1.0, 0.25])))
    g.add_edge("x", "x", rule="all_to_all", weight=weight, delay=draw(delays), receptor=receptor)
    return g


def by_steps(model, **fixed):
    """Nodes of a model that is integrated: three receptors, the last two conductances or not."""

    @st.composite
    def node(draw):
        kinds = draw(st.permutations(["exp", "alpha", "delta"]))
        return {
            "model": model,
            **{name: draw(value) for name, value in fixed.items()},
            "synapse": kinds,
            "tau_syn": [None if kind == "delta" else draw(st.sampled_from([0.5, 3.0])) for kind in kinds],
            "e_rev": [None if kind == "delta" else draw(st.sampled_from([None, 0.0, -80.0])) for kind in kinds],
            "i_offset": draw(st.sampled_from([0.0, 1.0, 12.0])),
            "rtol": 1e-8,
            "atol": 1e-8,
        }

    return node


@st.composite
def networks(draw, kinds=(lif_delta, lif_exp, qif), currents=True):
    """A graph of a population of each of these kinds (of one kind, up to three), both kinds of source, a current, and a
    few projections.  Each mixture of kinds compiles a loop."""
    g = nx.MultiDiGraph()
    names = ["x", "y", "z"][: len(kinds) if len(kinds) > 1 else draw(st.integers(1, 3))]
    receptors = {}
    for name, kind in zip(names, [*kinds, *kinds, *kinds], strict=False):
        node = draw(kind())
        receptors[name] = len(node["synapse"]) if "synapse" in node else 1
        g.add_node(name, size=draw(st.integers(1, 4)), **node)
    g.add_node(
        "given", model="spikes", size=2, times=[draw(st.lists(times, max_size=8)), draw(st.lists(times, max_size=8))]
    )
    g.add_node("noise", model="poisson", size=3, rate=draw(st.sampled_from([0.0, 300.0, 1500.0])))
    for _ in range(draw(st.integers(1, 6))):
        pre, post = draw(st.sampled_from([*names, "given", "noise"])), draw(st.sampled_from(names))
        n, m = g.nodes[pre]["size"], g.nodes[post]["size"]
        exp = g.nodes[post].get("synapse", "delta") != "delta"
        receptor = draw(st.integers(0, receptors[post] - 1))
        runaway = g.nodes[post].get("tau_refrac", 0.0) == 0.0 and pre in names  # spikes would beget spikes for ever
        weights = (
            st.sampled_from([-2.5, 0.25, 0.5])
            if runaway
            else amounts
            if exp and g.nodes[post]["synapse"][receptor] == "exp"
            else jumps
        )
        rule = draw(st.sampled_from(["all_to_all", "fixed_indegree", "pairs"]))
        how = {"rule": rule}
        if rule == "fixed_indegree":
            how["indegree"] = draw(st.integers(1, 5))
        elif rule == "pairs":
            pairs = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, m - 1)), min_size=1, max_size=6))
            how.update(source=[a for a, _ in pairs], target=[b for _, b in pairs])
        count = len(how["source"]) if rule == "pairs" else m * (how["indegree"] if rule == "fixed_indegree" else n)
        each = draw(st.booleans())
        g.add_edge(
            pre,
            post,
            receptor=receptor,
            **how,
            weight=draw(st.lists(weights, min_size=count, max_size=count)) if each else draw(weights),
            delay=draw(st.lists(delays, min_size=count, max_size=count)) if each else draw(delays),
        )
    if currents and draw(st.booleans()):
        g.add_node(
            "pulse",
            model="dc",
            amplitude=draw(amounts),
            start=draw(st.sampled_from([0.0, 2.5, 6.0])),
            stop=draw(st.sampled_from([6.0, 9.5, math.inf])),
        )
        g.add_node("stairs", model="steps", times=[1.0, 4.0, 9.0], amplitudes=[draw(amounts) for _ in range(3)])
        g.add_edge("pulse", names[0])
        g.add_edge("stairs", names[-1], weight=draw(st.sampled_from([1.0, -2.0])))
    return g


# ---------------------------------------------------------------------------------------------------- pieces
def each_or_all(draw, values, size):
    """One value, or one for each."""
    return draw(st.one_of(values, st.lists(values, min_size=size, max_size=size)))


@st.composite
def lif_resting(draw, size):
    """What kernel/still.py serves, mostly: V_inf at or below the threshold, reset to a value, delta receptors."""
    rests = draw(st.booleans())
    receptors = draw(st.integers(1, 2))
    return {
        "model": "lif",
        "tau_m": draw(st.sampled_from([0.5, 2.0, 5.0, 10.0])),
        "v_rest": 0.0,
        "v_reset": draw(st.sampled_from([0.0, 10.0, -3.0, *([20.0, 25.0] if rests else [])])),
        "v_thresh": draw(st.sampled_from([20.0, 15.0 if not rests else 20.0, math.inf])),
        "tau_refrac": each_or_all(draw, st.sampled_from([0.5, 1.3, 2.0]), size) if rests else 0.0,
        "i_offset": each_or_all(draw, st.sampled_from([0.0, 0.0, 1.5, 2.0, -1.0]), size),
        "v_init": each_or_all(draw, st.sampled_from([0.0, 19.5, 20.0, 41.0]), size),
        "synapse": ["delta"] * receptors,
        "tau_syn": [None] * receptors,
    }


@st.composite
def lif_uneven(draw, size):
    """What kernel/uneven.py serves: the same, each with its own tau_m."""
    tau = draw(st.lists(st.sampled_from([0.5, 2.0, 2.0, 5.0, 7.3]), min_size=size - 1, max_size=size - 1))
    return {**draw(lif_resting(size)), "tau_m": [10.0, *tau]}


@st.composite
def lif_moving(draw, size, kind=lif_apart):
    """What kernel/moving.py serves: exp and exp or delta, adaptation, always a refractory period."""
    node = draw(kind())
    node.update(reset="value", tau_refrac=draw(st.sampled_from([0.5, 1.3, 6.0])),
                v_reset=draw(st.sampled_from([0.0, 10.0, -3.0, 20.0])), v_init=draw(st.sampled_from([0.0, 20.0])),
                i_offset=each_or_all(draw, st.sampled_from([0.0, 1.5, 12.0]), size))
    return node


def lif_moving_slowly(size):
    """The same with an alpha receptor."""
    return lif_moving(size, lif_rising)


@st.composite
def sources(draw, size):
    """Poisson sources, mostly of one rate; or with their own, that begin and end, or vary."""
    node = {"model": "poisson", "size": size, "rate": draw(st.sampled_from([50.0, 800.0, 3000.0]))}
    kind = draw(st.sampled_from(["plain", "plain", "plain", "own", "span", "steps", "sine"]))
    if kind == "own":
        node["rate"] = each_or_all(draw, st.sampled_from([0.0, 500.0, 2000.0]), size)
    elif kind == "span":
        node.update(start=each_or_all(draw, st.sampled_from([0.0, 2.5]), size),
                    stop=each_or_all(draw, st.sampled_from([6.0, math.inf]), size))
    elif kind == "steps":
        del node["rate"]
        node.update(times=[0.0, 5.0] if size == 1 else [[0.0, 5.0]] * size,
                    rates=[3000.0, 200.0] if size == 1 else [[3000.0, 200.0]] * size)
    elif kind == "sine":
        node.update(modulation=0.75, frequency=150.0)
    return node


@st.composite
def driven(draw, kind=lif_resting, least=1):
    """Populations of a kind; sources of one neuron each, often several of one neuron; trains and a crowd of edges of
    few delays and weights, so that many meet and the threshold is met exactly."""
    names = ["x", "y"][: draw(st.integers(1, 2))]
    nodes, edges = {}, []
    for name in names:
        size = draw(st.integers(least, 7))
        nodes[name] = {"size": size, **draw(kind(size))}
    nodes["given"] = {"model": "spikes", "size": 2, "times": [draw(st.lists(times, max_size=8)) for _ in range(2)]}
    delay = st.sampled_from([0.5, 1.0, 1.0, 1.5, 7.25])

    def weight(post, receptor, count):
        slow = nodes[post]["synapse"][receptor] != "delta"
        one = st.sampled_from([-1.0, 0.0, 0.5, 2.0] if slow else [-5.0, 0.0, 2.5, 5.0, 5.0, 20.0])
        return each_or_all(draw, one, count) if draw(st.booleans()) else draw(one)

    for k in range(draw(st.integers(0, 4))):
        post = draw(st.sampled_from(names))
        size = nodes[post]["size"]
        n = draw(st.sampled_from([size, size, draw(st.integers(1, size))]))
        nodes[f"drive{k}"] = draw(sources(n))
        first, receptor = draw(st.integers(0, size - n)), draw(st.integers(0, len(nodes[post]["synapse"]) - 1))
        edges.append((f"drive{k}", post, {
            "rule": "pairs", "source": list(range(n)), "target": list(range(first, first + n)), "receptor": receptor,
            "weight": weight(post, receptor, n), "delay": draw(delay)}))
    for _ in range(draw(st.integers(0, 5))):
        pre, post = draw(st.sampled_from([*nodes])), draw(st.sampled_from(names))
        n, m = nodes[pre]["size"], nodes[post]["size"]
        receptor = draw(st.integers(0, len(nodes[post]["synapse"]) - 1))
        how, count = {"rule": "all_to_all"}, n * m
        if draw(st.booleans()):                          # with multapses
            how, count = {"rule": "fixed_indegree", "indegree": draw(st.integers(1, 5))}, 0
            count = m * how["indegree"]
        rests = nodes[pre].get("tau_refrac", 1.0) != 0.0
        edges.append((pre, post, {
            **how, "receptor": receptor,
            "delay": each_or_all(draw, delay, count) if draw(st.booleans()) else draw(delay),
            "weight": weight(post, receptor, count) if rests else draw(st.sampled_from([-2.5, 0.25, 0.5]))}))
    if draw(st.booleans()):
        nodes["pulse"] = {"model": "dc", "amplitude": draw(st.sampled_from([-1.0, 1.0, 2.0])),
                          "start": draw(st.sampled_from([0.0, 2.5])), "stop": draw(st.sampled_from([6.0, math.inf]))}
        nodes["stairs"] = {"model": "steps", "times": [1.0, 4.0, 9.0],
                           "amplitudes": [draw(st.sampled_from([-1.0, 0.5, 2.0])) for _ in range(3)]}
        edges += [("pulse", names[0], {}), ("stairs", names[-1], {"rule": "pairs", "source": [0], "target": [0]})
                  if draw(st.booleans()) else ("stairs", names[-1], {})]
    g = nx.MultiDiGraph()
    for name in draw(st.permutations([*nodes])):         # the order of nodes is that of sums
        g.add_node(name, **nodes[name])
    for pre, post, attributes in edges:
        g.add_edge(pre, post, **attributes)
    return g
