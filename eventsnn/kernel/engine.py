"""Puts a network on the general loop: binds its models' verbs, lays out its arrays, runs, and returns now and then."""

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from ..course import Outcome, Setup, endless, loose, tight
from ..model import Dynamics
from . import general, loop, pieces, queue
from . import mail as post
from .calendar import calendar
from .clocked import LONG, alone
from .general import Cells
from .inbox import arrival_type
from .lines import begun
from .link import Bound, link
from .loop import Course, Frame, Share
from .patience import patience
from .quick import KERNELS, latest, layouts, once, plan
from .shards import WORTH, Deal, deal, merged, together, wirings
from .sources import Sources

PAUSE = 0.2          # seconds between returns to Python, about
PLAIN, SLOW, QUICK = 1000, 100_000, 2_000_000       # events until the first return, of which nothing is known


def continuous(t, tick):
    return t


def ticked(t, tick):
    return np.rint(t / tick)


def chain(dynamics: Sequence[Dynamics]) -> Bound:
    """The windows of all groups, one after the other."""
    order = {"precedes": general.before if dynamics[0].judged_last else general.up_to,
             "heard": general.one_by_one if dynamics[0].separate else general.at_once}
    first = Bound.to(general.window, {**dynamics[0].verbs._asdict(), **order})
    if len(dynamics) == 1:
        return Bound.to(general.single, {"head": first})
    return Bound.to(general.several, {"head": first, "tail": chain(dynamics[1:])})


def compiles() -> bool:
    from .atomic import DISABLED

    return not DISABLED


def quick_chain(dynamics: Sequence[Dynamics], common: dict[str, Any]) -> dict[str, Bound]:
    """What the loop does with all groups that go to specialised kernels; common: what all their parts bind."""
    windows, soonest = Bound(pieces.no_windows), Bound(pieces.never)
    fit, queues = Bound(queue.none_fit), Bound(queue.none_longer)
    for quick in (d.quick for d in reversed(dynamics)):
        if quick:
            module = KERNELS[quick.kernel]
            verbs = {name: getattr(module, name) for name in getattr(module, "VERBS", pieces.VERBS)}
            window = Bound.to(getattr(module, "window", pieces.window), {**common, **verbs, **quick.functions})
            windows = Bound.to(pieces.windows, {"first_pieces": window, "other_pieces": windows})
            soonest = Bound.to(pieces.all_soonest, {"other_pieces": soonest})
            fit = Bound.to(queue.all_fit, {"other_fit": fit})
            queues = Bound.to(queue.all_longer, {"other_queues": queues})
    return {"quick_window": windows, "quick_soonest": soonest, "quick_fit": fit, "quick_queues": queues}


def runner(dynamics: Sequence[Dynamics], quick: Sequence[Dynamics], tick: float, jit: bool) -> Callable[..., Any]:
    """The loop for these models, and those that go to specialised kernels, compiled or plain."""
    common: dict[str, Any] = {"stamp": ticked if tick else continuous}
    names: dict[str, Any] = {"slow_window": general.no_groups, "slow": loop.ask_nobody}
    if dynamics:
        names = {"slow_window": Bound.to(general.groups_through, {"groups_window": chain(dynamics)}),
                 "slow": loop.ask_groups}
    if jit and compiles():
        from .atomic import adopt, fetch, leave, meet, seize, stage_of

        names["meet"] = meet
        common |= {"adopt": adopt, "fetch": fetch, "leave": leave, "seize": seize, "stage_of": stage_of}
    names |= {**common, **quick_chain(quick, common)}
    return link(Bound.to(loop.run, names), jit)


def sources(setup: Setup, of: Deal, shard: int) -> Sources:
    mine = of.streams[shard]
    time, emitter = (np.ascontiguousarray(spikes[shard::of.shards]) for spikes in setup.trains)
    return Sources(setup.streams, mine, np.full(len(mine), -1, np.int64), setup.streams.of.start[mine],
                   np.full(len(mine), -1, np.int64), time, emitter, np.zeros(1, np.int64), np.zeros(1))


def cells(setup: Setup, k: int, mine: np.ndarray, soonest: np.ndarray, jit: bool) -> Cells:
    """Those of group k that are marked as mine."""
    group, drives, probe = setup.network.groups[k], setup.network.drives, setup.probes[k]
    neuron = group.neuron[mine]
    line = drives.line[neuron]
    params: Any = group.params[mine] if jit else loose(group.params[mine])
    state: Any = group.state[mine] if jit else loose(group.state[mine])
    return Cells(neuron, setup.network.emitter_of_neuron[neuron], params, state, np.zeros(len(neuron)), soonest,
                 drives.first[line], drives.first[line + 1], probe.column[mine], probe.variables, probe.samples)


def run(setup: Setup, jit: bool, progress: Callable[[float, float], None] | None = None, threads: int = 1,
        window: float = math.inf, worth: float = WORTH, room: int = post.ROOM, most: int = 0) -> Outcome:
    """Run to the end, or to Ctrl-C, or (with `most`) until about that many events have been handled.

    Neither of these decides a bit: `window` (the longest, if that is less than the smallest delay), `worth` (see
    `deal`; 0: as many shards as threads, if there are neurons), `room` (of a mailbox).
    """
    network = setup.network
    compiled = jit and compiles()
    width = min(network.min_delay, window, setup.until / 64.0 or 1.0)
    chosen = plan(setup, width)
    ranks = chosen.slow
    of = deal(setup, threads, width, worth, chosen)
    pace = width if of.shards == 1 and alone(setup, chosen) else 0.0
    dealt = [width, pace, *((of.owner, of.cuts) if of.shards > 1 else ())]          # one shard has all
    kept = latest(network.kept, ("shards", of.shards), np.hstack(dealt), dict)
    wires = once(kept, "wiring", True, lambda: wirings(setup, of, chosen.group))
    mail = post.mail(of.shards, room, compiled)
    frame = Frame(network.drives, setup.times, setup.keep, LONG * pace or width, setup.until, network.tick, mail)
    longest = max(network.max_delay, width)
    local, inbox_first, inbox_last = np.zeros((3, network.neurons if ranks else 0), np.int64)
    mine = [{k: (of.owner[network.groups[k].neuron] == shard) & (chosen.group[network.groups[k].neuron] < 0)
             for k in ranks} for shard in range(of.shards)]
    reached = np.array([np.diff(wiring.first_row) > 0 for wiring in wires if of.shards > 1])
    shares, groups, courses = [], [], []
    plans = layouts(setup, chosen, of.cuts, of.load, wires, width, compiled, kept, pace)
    for shard, wiring in enumerate(wires):
        soonest = np.zeros(len(ranks))
        if pace:                                       # their spikes set off nothing that the loop knows of
            wiring = wiring._replace(first_row=np.zeros_like(wiring.first_row))
        groups.append(tuple(cells(setup, k, mine[shard][k], soonest[i:i + 1], jit) for i, k in enumerate(ranks)))
        for group in groups[-1]:
            local[group.neuron] = np.arange(len(group.neuron))
        abroad = np.zeros(network.emitters, np.bool_)
        if of.shards > 1:
            abroad = np.logical_or.reduce(np.delete(reached, shard, 0))
        shares.append(Share(shard, wiring, soonest, local, sources(setup, of, shard), abroad, inbox_first,
                            inbox_last, begun(6, np.int64, 0), tuple(layout.quick for layout in plans[shard])))
        arrival = np.empty(64, arrival_type(wiring.weight.dtype))
        queues = tuple(layout.queue() for layout in plans[shard])
        courses.append(Course(calendar(width, longest), queues, arrival, 0.0, 0, 0))
    step = runner([network.groups[k].dynamics for k in ranks], [network.groups[k].dynamics for k in chosen.groups],
                  network.tick, jit)

    def go(shard: int, budget: int) -> Any:
        with np.errstate(all="ignore"):                # of this thread
            return step(courses[shard], shares[shard], groups[shard], frame, budget)

    budget, interrupted = most or (QUICK if jit and not ranks else SLOW if jit else PLAIN), False
    try:
        with patience() as asked, ThreadPoolExecutor(of.shards) as crew:
            while courses[0].time < setup.until and not asked:
                began = time.perf_counter()
                done = together([partial(go, shard, budget) for shard in range(of.shards)],
                                partial(post.break_off, mail), crew)
                endlessly = [int(share.counters[3]) - 1 for share in shares if share.counters[3]]
                if endlessly:
                    raise endless(network, min(endlessly))
                setup.sink(*merged([(e.time[:e.n], e.emitter[:e.n]) for _, e in done]), done[0][0].time)
                courses = [course for course, _ in done]
                budget = max(100, int(budget * min(8.0, max(0.25, PAUSE / (time.perf_counter() - began + 1e-9)))))
                if progress:
                    progress(courses[0].time, setup.until)
                if most:
                    break
        interrupted = bool(asked)
    except KeyboardInterrupt:
        interrupted = True
    states: list[Any] = [group.state.copy() if k in ranks or group.dynamics.counts else group.state
                         for k, group in enumerate(network.groups)]
    for shard in range(of.shards):
        for k, cell in zip(ranks, groups[shard], strict=True):
            dynamics = network.groups[k].dynamics
            if len(cell.neuron):
                if dynamics.judged_last:
                    link(Bound.to(general.ticks_out, {"next_spike": dynamics.verbs.next_spike}), jit)(
                        cell.params, cell.state, courses[0].time)
                ends: Any = cell.state
                states[k][mine[shard][k]] = ends if jit else tight(ends, states[k].dtype)
    for k, layout in zip(chosen.groups, plans[0], strict=True):
        ends = layout.quick.cells.state
        ends = ends if compiled else tight(ends, states[k].dtype)
        for name in network.groups[k].dynamics.counts:
            states[k][name][np.searchsorted(network.groups[k].neuron, layout.neuron)] = ends[name][layout.place]
    kernels = sorted({quick.kernel for k in chosen.groups if (quick := network.groups[k].dynamics.quick)})
    return Outcome(np.sum([share.counters[:3] for share in shares], axis=0), states, courses[0].time, interrupted,
                   (*kernels, "general") if ranks or not kernels else tuple(kernels))
