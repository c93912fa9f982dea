/* eventsnn: profile loihi1_lava, Loihi 1 as Lava 0.10 computes it; a tick, tz being rounded toward zero:

       u := tz(u (4095 - du) / 2^12) + (a << 6) in 32 bits, once around where it leaves (-2^23, 2^23]
       v := tz(v (4096 - dv) / 2^12) + u + bias, held within +-(2^23 - 1)
       a spike if v > vth << 6; then v := 0

   a is the sum over the receptors; each one's own sum is first shifted down by its `fall`, rounding down. */

#ifndef EVENTSNN_LOIHI1_LAVA_H
#define EVENTSNN_LOIHI1_LAVA_H

#define EVENTSNN_LOIHI1_HALF ((int64_t)1 << 23)

/* u after a tick at which `a` arrives, before it goes around. */
static inline int64_t eventsnn_loihi1_current(uint32_t du, int32_t u, int64_t a)
{
    return eventsnn_quotient((int64_t)u * (4095 - (int64_t)du), 12, EVENTSNN_DOWN) + a * 64;
}

static inline int64_t eventsnn_loihi1_around(int64_t x)
{
    x = (int64_t)(((uint64_t)x + 0x80000000u) & 0xffffffffu) - 0x80000000;      /* Lava adds in words of 32 bits */
    if (x > EVENTSNN_LOIHI1_HALF) {
        return x - 2 * EVENTSNN_LOIHI1_HALF;
    }
    return x <= -EVENTSNN_LOIHI1_HALF ? x + 2 * EVENTSNN_LOIHI1_HALF : x;
}

/* v after a tick whose u and bias add up to `total`, before it is held. */
static inline int64_t eventsnn_loihi1_potential(uint32_t dv, int32_t v, int64_t total)
{
    return eventsnn_quotient((int64_t)v * (4096 - (int64_t)dv), 12, EVENTSNN_DOWN) + total;
}

#endif

struct EVENTSNN(registers) {
    int64_t sum[EVENTSNN(receptors)][EVENTSNN(neurons)];        /* arrivals of this tick */
    int32_t u[EVENTSNN(neurons)];
    int32_t v[EVENTSNN(neurons)];
};

#include "eventsnn_chip.h"

static inline const struct eventsnn_loihi1_lava *EVENTSNN(kind)(uint32_t j)
{
    return &EVENTSNN(kinds)[EVENTSNN(kind_of)[EVENTSNN(kind_each) ? j : 0u]];
}

static inline void EVENTSNN(begin)(struct EVENTSNN(state) *s, uint32_t j)
{
    uint32_t k;

    for (k = 0; k < EVENTSNN(receptors); k++) {
        s->r.sum[k][j] = 0;
    }
    s->r.u[j] = EVENTSNN(start_i)[EVENTSNN(start_i_each) ? j : 0u];
    s->r.v[j] = EVENTSNN(start)[EVENTSNN(start_each) ? j : 0u];
}

/* V after the last tick that was done. */
static inline int32_t EVENTSNN(v)(const struct EVENTSNN(state) *s, uint32_t j)
{
    return s->r.v[j];
}

/* u after the last tick that was done: there is one for all receptors. */
static inline int32_t EVENTSNN(current)(const struct EVENTSNN(state) *s, uint32_t j, uint32_t receptor)
{
    (void)receptor;
    return s->r.u[j];
}

static inline void EVENTSNN(arrive)(struct EVENTSNN(state) *s, uint32_t j, uint32_t receptor, int64_t weight,
                                    uint32_t count)
{
    s->r.sum[receptor][j] += weight * (int64_t)count;
}

static inline bool EVENTSNN(finish)(struct EVENTSNN(state) *s, uint32_t j)
{
    const struct eventsnn_loihi1_lava *c = EVENTSNN(kind)(j);
    int64_t a = 0, u_exact, v_exact, u, v;
    bool still;
    uint32_t k;

    for (k = 0; k < EVENTSNN(receptors); k++) {
        a += eventsnn_floor(s->r.sum[k][j], EVENTSNN(falls)[c->falls + k]);
        s->r.sum[k][j] = 0;
    }
    u_exact = eventsnn_loihi1_current(c->du, s->r.u[j], a);
    u = eventsnn_loihi1_around(u_exact);
    v_exact = eventsnn_loihi1_potential(c->dv, s->r.v[j], u + c->bias);
    v = eventsnn_held(v_exact, (int32_t)(EVENTSNN_LOIHI1_HALF - 1), EVENTSNN_SYMMETRIC);
    s->saturations += (u != u_exact ? 1u : 0u) + (v != v_exact ? 1u : 0u);
    still = a == 0 && v == v_exact && u == s->r.u[j] && v == s->r.v[j];
    s->r.u[j] = (int32_t)u;
    s->r.v[j] = (int32_t)v;
    return !still;
}

static inline uint32_t EVENTSNN(judge)(struct EVENTSNN(state) *s, uint32_t j)
{
    if (s->r.v[j] <= EVENTSNN(kind)(j)->theta) {
        return 0;
    }
    s->r.v[j] = 0;
    return 1;
}
