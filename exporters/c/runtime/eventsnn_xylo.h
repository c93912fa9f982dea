/* eventsnn: profiles xylo_v1 and xylo_v2, Xylo as xylosim 0.1.3 computes it.  All states are 16 bits; S(x) is x held within
   [-2^15, 2^15 - 1]; dec(x, d) is x / 2^d rounded down, or the sign of x where that is 0.  A tick:

       I := S(I + w) for each single arrival
       I := I - dec(I, dash_syn)
       v := S(v + S(S(int16(-dec(v, dash_mem)) + sum of I) + bias)); version 1: v := S(v - dec(v, dash_mem) + sum of I)
       while v >= threshold, at most `most` times: v := v - threshold, a spike */

#ifndef EVENTSNN_XYLO_H
#define EVENTSNN_XYLO_H

static inline int64_t eventsnn_xylo_held(int64_t x)
{
    return eventsnn_held(x, INT16_MAX, EVENTSNN_FULL);
}

/* What a tick takes from x; a negative x / 2^d, rounded down, is never 0. */
static inline int64_t eventsnn_xylo_decrement(int64_t x, uint32_t dash)
{
    int64_t lost = eventsnn_floor(x, dash);

    return x > 0 && lost == 0 ? 1 : lost;
}

/* v after a tick whose currents add up to `total`, and in *exact the value that was to be held. */
static inline int64_t eventsnn_xylo_membrane(const struct eventsnn_xylo *c, int64_t v, int64_t total, int64_t *exact)
{
    int64_t lost = eventsnn_xylo_decrement(v, c->dash_mem), gained;

    *exact = v - lost + total + c->bias;
    if (c->version == 1u) {
        return eventsnn_xylo_held(*exact);
    }
    gained = lost == INT16_MIN ? INT16_MIN : -lost;             /* 16 bits have no 2^15 */
    return eventsnn_xylo_held(v + eventsnn_xylo_held(eventsnn_xylo_held(gained + total) + c->bias));
}

#endif

struct EVENTSNN(registers) {
    int16_t i[EVENTSNN(currents)][EVENTSNN(neurons)];
    int16_t v[EVENTSNN(neurons)];
};

#include "eventsnn_chip.h"

static inline const struct eventsnn_xylo *EVENTSNN(kind)(uint32_t j)
{
    return &EVENTSNN(kinds)[EVENTSNN(kind_of)[EVENTSNN(kind_each) ? j : 0u]];
}

static inline void EVENTSNN(begin)(struct EVENTSNN(state) *s, uint32_t j)
{
    uint32_t k;

    for (k = 0; k < EVENTSNN(currents); k++) {
        s->r.i[k][j] = (int16_t)EVENTSNN(start_i)[EVENTSNN(start_i_each) ? k * EVENTSNN(neurons) + j : 0u];
    }
    s->r.v[j] = (int16_t)EVENTSNN(start)[EVENTSNN(start_each) ? j : 0u];
}

/* V after the last tick that was done. */
static inline int32_t EVENTSNN(v)(const struct EVENTSNN(state) *s, uint32_t j)
{
    return s->r.v[j];
}

/* A receptor's current after the last tick that was done; receptor < currents. */
static inline int32_t EVENTSNN(current)(const struct EVENTSNN(state) *s, uint32_t j, uint32_t receptor)
{
    return s->r.i[receptor][j];
}

static inline void EVENTSNN(arrive)(struct EVENTSNN(state) *s, uint32_t j, uint32_t receptor, int64_t weight,
                                    uint32_t count)
{
    int64_t i = s->r.i[receptor][j];

    for (; count > 0u; count--) {
        int64_t exact = i + weight;
        i = eventsnn_xylo_held(exact);
        s->saturations += i == exact ? 0u : 1u;
    }
    s->r.i[receptor][j] = (int16_t)i;
}

static inline bool EVENTSNN(finish)(struct EVENTSNN(state) *s, uint32_t j)
{
    const struct eventsnn_xylo *c = EVENTSNN(kind)(j);
    int64_t total = 0, exact, v;
    bool still = true;
    uint32_t k;

    for (k = 0; k < EVENTSNN(currents); k++) {
        int64_t i = s->r.i[k][j];
        if (i != 0) {
            i -= eventsnn_xylo_decrement(i, c->dash_syn[k]);
            s->r.i[k][j] = (int16_t)i;
            total += i;
            still = false;
        }
    }
    v = eventsnn_xylo_membrane(c, s->r.v[j], total, &exact);
    s->saturations += v == exact ? 0u : 1u;
    still = still && v == exact && v == s->r.v[j];
    s->r.v[j] = (int16_t)v;
    return !still;
}

static inline uint32_t EVENTSNN(judge)(struct EVENTSNN(state) *s, uint32_t j)
{
    const struct eventsnn_xylo *c = EVENTSNN(kind)(j);
    int32_t v = s->r.v[j];
    uint32_t count = 0;

    while (count < c->most && v >= c->threshold) {
        v -= c->threshold;
        count++;
    }
    s->r.v[j] = (int16_t)v;
    return count;
}
