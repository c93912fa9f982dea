/* eventsnn: the event loop of one network in event mode.  All arrivals of a tick are summed exactly; then each neuron that
   was reached decays by its age, adds the sum, saturates, and is judged once, in ascending order.  A neuron that nothing
   reaches costs nothing.

   Time stamps are short and wrap: every `horizon` ticks a sweep renews the old ones, so that no age is ambiguous. */

#include "eventsnn_way.h"

struct EVENTSNN(state) {
    uint64_t now;                                       /* the tick that `step` does next */
    uint64_t saturations;                               /* how often V stopped at a rail */
    int64_t sum[EVENTSNN(neurons)];                     /* arrivals of this tick */
    int32_t v[EVENTSNN(neurons)];                       /* V at tick `since` */
    uint32_t touched[(EVENTSNN(neurons) + 31) / 32];    /* a bit for each neuron that is to be judged */
    struct EVENTSNN(way) way;
    EVENTSNN(stamp) since[EVENTSNN(neurons)];           /* later than now: the neuron is refractory until then */
};

static inline void EVENTSNN(init)(struct EVENTSNN(state) *s)
{
    uint32_t i;

    s->now = 0;
    s->saturations = 0;
    EVENTSNN(clear)(&s->way);
    for (i = 0; i < (EVENTSNN(neurons) + 31u) / 32u; i++) {
        s->touched[i] = 0;
    }
    for (i = 0; i < EVENTSNN(neurons); i++) {
        s->sum[i] = 0;
        s->v[i] = EVENTSNN(start)[EVENTSNN(start_each) ? i : 0u];
        s->since[i] = 0;
        s->touched[i / 32u] |= UINT32_C(1) << (i % 32u);       /* tick 0 judges every neuron */
    }
}

/* `count` spikes of a source (neurons <= emitter < emitters) at tick `now`.  False: refused, for so many of the sources'
   spikes are under way already as there is room for; that cannot happen with one call per source and tick. */
static inline bool EVENTSNN(spike)(struct EVENTSNN(state) *s, uint32_t emitter, uint32_t count)
{
    return EVENTSNN(admit)(&s->way, emitter, count);
}

/* The synapses of a row, `count` times. */
static inline void EVENTSNN(act)(struct EVENTSNN(state) *s, uint32_t row, uint32_t count)
{
    uint32_t i = EVENTSNN(first)[row], end = EVENTSNN(first)[row + 1u];
    int64_t scale = (int64_t)count * ((int64_t)1 << EVENTSNN(shift)[row]);

    for (; i < end; i++) {
        uint32_t j = EVENTSNN(target)[i];
        s->sum[j] += EVENTSNN(mantissa)[i] * scale;
        s->touched[j / 32u] |= UINT32_C(1) << (j % 32u);
    }
}

/* Ticks since V was written; 0 while the neuron is refractory, and at the tick itself. */
static inline uint32_t EVENTSNN(age)(const struct EVENTSNN(state) *s, uint32_t j, uint64_t tick)
{
    EVENTSNN(stamp) age = (EVENTSNN(stamp))(tick - s->since[j]);

    return age < 2u * EVENTSNN(horizon) ? age : 0u;
}

static inline const struct eventsnn_kind *EVENTSNN(kind)(uint32_t j)
{
    return &EVENTSNN(kinds)[EVENTSNN(kind_of)[EVENTSNN(kind_each) ? j : 0u]];
}

/* V after the last tick that was done. */
static inline int32_t EVENTSNN(v)(const struct EVENTSNN(state) *s, uint32_t j)
{
    return eventsnn_decayed(EVENTSNN(kind)(j), s->v[j], s->now > 0u ? EVENTSNN(age)(s, j, s->now - 1u) : 0u);
}

/* There are no currents. */
static inline int32_t EVENTSNN(current)(const struct EVENTSNN(state) *s, uint32_t j, uint32_t receptor)
{
    (void)s;
    (void)j;
    (void)receptor;
    return 0;
}

/* One neuron takes in the sum of its arrivals and is judged; the number of its spikes. */
static inline uint32_t EVENTSNN(judge)(struct EVENTSNN(state) *s, uint32_t j)
{
    const struct eventsnn_kind *k = EVENTSNN(kind)(j);
    uint32_t age = EVENTSNN(age)(s, j, s->now), count = 0;
    int64_t v = s->v[j];

    if (age > 0u) {
        v = eventsnn_decayed(k, s->v[j], age) + s->sum[j];
        if (v > k->top || v < -k->top) {
            v = v < 0 ? -k->top : k->top;
            s->saturations++;
        }
        s->since[j] = (EVENTSNN(stamp))s->now;
    }
    s->sum[j] = 0;
    while (v >= k->theta) {
        count++;
        v = k->subtract ? v - (k->theta - k->reset) : k->reset;
    }
    s->v[j] = (int32_t)v;
    if (count > 0u) {
        s->since[j] = (EVENTSNN(stamp))(s->now + k->mask);
    }
    return count;
}

/* Renew the stamps that are older than the horizon, without changing what any V will be. */
static inline void EVENTSNN(scrub)(struct EVENTSNN(state) *s)
{
    uint32_t j;

    for (j = 0; j < EVENTSNN(neurons); j++) {
        uint32_t age = EVENTSNN(age)(s, j, s->now);
        if (age >= EVENTSNN(horizon)) {                        /* a table is over by then: length <= horizon */
            s->v[j] = eventsnn_decayed(EVENTSNN(kind)(j), s->v[j], age);
            s->since[j] = (EVENTSNN(stamp))s->now;
        }
    }
}

/* Tick `now`. */
static inline void EVENTSNN(step)(struct EVENTSNN(state) *s, void (*spiked)(void *to, uint32_t neuron, uint32_t count),
                                  void *to)
{
    uint32_t word, j;

    if (s->now % EVENTSNN(horizon) == 0u) {
        EVENTSNN(scrub)(s);
    }
    EVENTSNN(deliver)(&s->way, s);
    for (word = 0; word < (EVENTSNN(neurons) + 31u) / 32u; word++) {
        uint32_t bits = s->touched[word];
        s->touched[word] = 0;
        for (j = 32u * word; bits != 0u; j++, bits >>= 1) {
            uint32_t count = (bits & 1u) != 0u ? EVENTSNN(judge)(s, j) : 0u;
            if (count > 0u) {
                EVENTSNN(send)(&s->way, j, count);
                spiked(to, j, count);
            }
        }
    }
    s->now++;
    EVENTSNN(turn)(&s->way);
}

/* Whether nothing will happen unless a source spikes. */
static inline bool EVENTSNN(idle)(const struct EVENTSNN(state) *s)
{
    return s->way.waiting == 0u && s->now > 0u;
}

/* Let the ticks before `until` pass while the network is idle. */
static inline void EVENTSNN(skip)(struct EVENTSNN(state) *s, uint64_t until)
{
    while (s->now < until) {
        uint64_t sweep = s->now + EVENTSNN(horizon) - s->now % EVENTSNN(horizon);
        if (s->now % EVENTSNN(horizon) == 0u) {
            EVENTSNN(scrub)(s);
        }
        s->now = sweep < until ? sweep : until;
    }
}
