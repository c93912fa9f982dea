/* eventsnn: the loop of one network in tick mode.  A tick, for every neuron that is awake or reached: currents decay and
   take in their sums, V decays and takes in what they are worth, direct input and a bias; a refractory V stands still;
   then V is judged, at most `spikes` times.  A neuron that a tick without input leaves as it is sleeps. */

#include "eventsnn_way.h"

struct EVENTSNN(state) {
    uint64_t now;                                       /* the tick that `step` does next */
    uint64_t saturations;                               /* how often a register stopped at a rail */
    int64_t sum[EVENTSNN(receptors)][EVENTSNN(neurons)];        /* arrivals of this tick */
    int32_t i[EVENTSNN(currents)][EVENTSNN(neurons)];
    int32_t v[EVENTSNN(neurons)];
    uint32_t left[EVENTSNN(neurons)];                   /* ticks still to stand still */
    uint32_t awake[(EVENTSNN(neurons) + 31) / 32];      /* a bit for each neuron that the next tick may change */
    struct EVENTSNN(way) way;
};

static inline void EVENTSNN(init)(struct EVENTSNN(state) *s)
{
    uint32_t j, k;

    s->now = 0;
    s->saturations = 0;
    EVENTSNN(clear)(&s->way);
    for (j = 0; j < (EVENTSNN(neurons) + 31u) / 32u; j++) {
        s->awake[j] = 0;
    }
    for (j = 0; j < EVENTSNN(neurons); j++) {
        for (k = 0; k < EVENTSNN(receptors); k++) {
            s->sum[k][j] = 0;
        }
        for (k = 0; k < EVENTSNN(currents); k++) {
            s->i[k][j] = EVENTSNN(start_i)[EVENTSNN(start_i_each) ? k * EVENTSNN(neurons) + j : 0u];
        }
        s->v[j] = EVENTSNN(start)[EVENTSNN(start_each) ? j : 0u];
        s->left[j] = 0;
        s->awake[j / 32u] |= UINT32_C(1) << (j % 32u);
    }
}

/* `count` spikes of a source (neurons <= emitter < emitters) at tick `now`.  False: refused, for so many of the sources'
   spikes are under way already as there is room for; that cannot happen with one call per source and tick. */
static inline bool EVENTSNN(spike)(struct EVENTSNN(state) *s, uint32_t emitter, uint32_t count)
{
    return EVENTSNN(admit)(&s->way, emitter, count);
}

static inline void EVENTSNN(act)(struct EVENTSNN(state) *s, uint32_t row, uint32_t count)
{
    uint32_t i = EVENTSNN(first)[row], end = EVENTSNN(first)[row + 1u];
    int64_t scale = (int64_t)count * ((int64_t)1 << EVENTSNN(shift)[row]);
    int64_t *sum = s->sum[EVENTSNN(receptor)[row]];

    for (; i < end; i++) {
        uint32_t j = EVENTSNN(target)[i];
        sum[j] += EVENTSNN(mantissa)[i] * scale;
        s->awake[j / 32u] |= UINT32_C(1) << (j % 32u);
    }
}

static inline const struct eventsnn_cell *EVENTSNN(kind)(uint32_t j)
{
    return &EVENTSNN(kinds)[EVENTSNN(kind_of)[EVENTSNN(kind_each) ? j : 0u]];
}

/* V after the last tick that was done. */
static inline int32_t EVENTSNN(v)(const struct EVENTSNN(state) *s, uint32_t j)
{
    return s->v[j];
}

/* A receptor's current after the last tick that was done; receptor < currents. */
static inline int32_t EVENTSNN(current)(const struct EVENTSNN(state) *s, uint32_t j, uint32_t receptor)
{
    return s->i[receptor][j];
}

/* One tick of one neuron; whether it stays awake. */
static inline bool EVENTSNN(finish)(struct EVENTSNN(state) *s, uint32_t j)
{
    const struct eventsnn_cell *c = EVENTSNN(kind)(j);
    int64_t total = c->bias;
    bool still = s->left[j] == 0u;
    uint32_t k;

    for (k = 0; k < c->receptors; k++) {
        const struct eventsnn_receptor *r = &c->receptor[k];
        int64_t x = s->sum[k][j], exact, i;

        s->sum[k][j] = 0;
        still = still && x == 0;
        if (r->direct) {
            total += x;
            continue;
        }
        if (c->input_first) {
            exact = s->i[k][j] + x;
            i = eventsnn_held(exact, r->top, c->saturation);
            still = still && i == exact;
            s->saturations += i == exact ? 0u : 1u;
            i = eventsnn_faded(r->decay, r->rate, r->bits, c->rounding, i);
        } else {
            exact = eventsnn_faded(r->decay, r->rate, r->bits, c->rounding, s->i[k][j]) + x;
            i = eventsnn_held(exact, r->top, c->saturation);
            still = still && i == exact;
            s->saturations += i == exact ? 0u : 1u;
        }
        still = still && i == s->i[k][j];
        s->i[k][j] = (int32_t)i;
        total += eventsnn_quotient(i, r->fall, c->rounding);
    }
    if (s->left[j] > 0u) {
        s->left[j]--;
        return true;
    }
    {
        int64_t exact = eventsnn_faded(c->decay, c->rate, c->bits, c->rounding, s->v[j]) + total;
        int64_t v = eventsnn_held(exact, c->top, c->saturation);

        still = still && v == exact && v == s->v[j];
        s->saturations += v == exact ? 0u : 1u;
        s->v[j] = (int32_t)v;
        return !still;
    }
}

/* The spikes of one neuron at this tick. */
static inline uint32_t EVENTSNN(judge)(struct EVENTSNN(state) *s, uint32_t j)
{
    const struct eventsnn_cell *c = EVENTSNN(kind)(j);
    int64_t v = s->v[j];
    uint32_t count = 0;

    while (count < c->spikes && (v > c->theta || (v == c->theta && !c->strict))) {
        count++;
        v = c->subtract ? v - (c->theta - c->reset) : c->reset;
    }
    if (count > 0u) {
        s->v[j] = (int32_t)v;
        s->left[j] = c->mask;
    }
    return count;
}

/* Tick `now`. */
static inline void EVENTSNN(step)(struct EVENTSNN(state) *s, void (*spiked)(void *to, uint32_t neuron, uint32_t count),
                                  void *to)
{
    uint32_t word, j;

    EVENTSNN(deliver)(&s->way, s);
    for (word = 0; word < (EVENTSNN(neurons) + 31u) / 32u; word++) {
        uint32_t bits = s->awake[word], bit = 1u, awake = 0;
        for (j = 32u * word; bits != 0u; j++, bits >>= 1, bit <<= 1) {
            if ((bits & 1u) != 0u) {
                bool masked = s->left[j] > 0u;
                bool stays = s->now == 0u || EVENTSNN(finish)(s, j);      /* the state at tick 0 is given */
                uint32_t count = masked ? 0u : EVENTSNN(judge)(s, j);
                if (count > 0u) {
                    EVENTSNN(send)(&s->way, j, count);
                    spiked(to, j, count);
                }
                awake |= stays || count > 0u ? bit : 0u;
            }
        }
        s->awake[word] = awake;
    }
    s->now++;
    EVENTSNN(turn)(&s->way);
}

/* Whether nothing will happen unless a source spikes. */
static inline bool EVENTSNN(idle)(const struct EVENTSNN(state) *s)
{
    uint32_t word, any = 0;

    for (word = 0; word < (EVENTSNN(neurons) + 31u) / 32u; word++) {
        any |= s->awake[word];
    }
    return s->way.waiting == 0u && any == 0u;
}

/* Let the ticks before `until` pass while the network is idle. */
static inline void EVENTSNN(skip)(struct EVENTSNN(state) *s, uint64_t until)
{
    s->now = s->now < until ? until : s->now;
}
