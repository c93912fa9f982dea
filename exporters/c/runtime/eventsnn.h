/* eventsnn: the event loop of one exported network.  Include its tables (network.h) first; for several networks in one
   program include each one's tables and then this file again: all names begin with EVENTSNN_NAME.

       static struct digits_state net;
       digits_init(&net);
       digits_spike(&net, source, 1);            a source spikes at the tick that comes next, net.now
       digits_step(&net, spiked, to);            that tick: spiked(to, neuron, count) for each neuron that spikes
       if (digits_idle(&net)) digits_skip(&net, tick);     nothing is under way: go on at that tick

   A spike waits in the bucket of the tick at which its next row of synapses acts, and moves on from row to row.  All
   arrivals of a tick are summed exactly; then each neuron that was reached decays by its age, adds the sum, saturates,
   and is judged once, in ascending order.  A neuron that nothing reaches costs nothing.

   Time stamps are short and wrap: every `horizon` ticks a sweep renews the old ones, so that no age is ambiguous.
   Emitters 0 .. neurons - 1 are the neurons, the sources follow. */

/* This file has no include guard on purpose. */

struct EVENTSNN(state) {
    uint64_t now;                                       /* the tick that `step` does next */
    uint64_t saturations;                               /* how often V stopped at a rail */
    int64_t sum[EVENTSNN(neurons)];                     /* arrivals of this tick */
    int32_t v[EVENTSNN(neurons)];                       /* V at tick `since` */
    uint32_t touched[(EVENTSNN(neurons) + 31) / 32];    /* a bit for each neuron that is to be judged */
    uint32_t waiting;                                   /* spikes under way */
    uint32_t waiting_sources;                           /* those of sources */
    uint32_t head;                                      /* bucket of this tick */
    struct {
        uint32_t count;                                 /* a source's or a neuron's spikes of one tick */
        EVENTSNN(row) row;                              /* what acts next */
        EVENTSNN(slot) next;                            /* in the same bucket, or of the free ones */
    } flight[EVENTSNN(in_flight)];
    EVENTSNN(slot) bucket[EVENTSNN(buckets)];
    EVENTSNN(slot) free;
    EVENTSNN(stamp) since[EVENTSNN(neurons)];           /* later than now: the neuron is refractory until then */
};

#define EVENTSNN_NOBODY ((EVENTSNN(slot))~(EVENTSNN(slot))0)

static inline void EVENTSNN(init)(struct EVENTSNN(state) *s)
{
    uint32_t i;

    s->now = 0;
    s->saturations = 0;
    s->waiting = 0;
    s->waiting_sources = 0;
    s->head = 0;
    for (i = 0; i < (EVENTSNN(neurons) + 31u) / 32u; i++) {
        s->touched[i] = 0;
    }
    for (i = 0; i < EVENTSNN(neurons); i++) {
        s->sum[i] = 0;
        s->v[i] = EVENTSNN(start)[EVENTSNN(start_each) ? i : 0u];
        s->since[i] = 0;
        s->touched[i / 32u] |= UINT32_C(1) << (i % 32u);       /* tick 0 judges every neuron */
    }
    for (i = 0; i < EVENTSNN(buckets); i++) {
        s->bucket[i] = EVENTSNN_NOBODY;
    }
    for (i = 0; i < EVENTSNN(in_flight); i++) {
        s->flight[i].next = i + 1u < EVENTSNN(in_flight) ? (EVENTSNN(slot))(i + 1u) : EVENTSNN_NOBODY;
    }
    s->free = 0;
}

/* Put a spike under way into the bucket `wait` ticks from now; 0 <= wait < buckets. */
static inline void EVENTSNN(file)(struct EVENTSNN(state) *s, EVENTSNN(slot) slot, uint32_t wait)
{
    uint32_t at = s->head + wait;

    at -= at < EVENTSNN(buckets) ? 0u : (uint32_t)EVENTSNN(buckets);
    s->flight[slot].next = s->bucket[at];
    s->bucket[at] = slot;
}

static inline void EVENTSNN(send)(struct EVENTSNN(state) *s, uint32_t emitter, uint32_t count)
{
    EVENTSNN(slot) slot = s->free;

    if (EVENTSNN(first_delay)[emitter] == 0u) {
        return;                                                 /* it has no synapses */
    }
    s->free = s->flight[slot].next;
    s->flight[slot].count = count;
    s->flight[slot].row = EVENTSNN(first_row)[emitter];
    s->waiting++;
    EVENTSNN(file)(s, slot, EVENTSNN(first_delay)[emitter]);
}

/* `count` spikes of a source (neurons <= emitter < emitters) at tick `now`.  False: refused, for so many of the sources'
   spikes are under way already as there is room for; that cannot happen with one call per source and tick. */
static inline bool EVENTSNN(spike)(struct EVENTSNN(state) *s, uint32_t emitter, uint32_t count)
{
    if (count == 0u || EVENTSNN(first_delay)[emitter] == 0u) {
        return true;
    }
    if (s->waiting_sources >= EVENTSNN(in_flight_sources)) {
        return false;
    }
    s->waiting_sources++;
    EVENTSNN(send)(s, emitter, count);
    return true;
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

/* All that acts at this tick. */
static inline void EVENTSNN(deliver)(struct EVENTSNN(state) *s)
{
    EVENTSNN(slot) slot = s->bucket[s->head];

    s->bucket[s->head] = EVENTSNN_NOBODY;
    while (slot != EVENTSNN_NOBODY) {
        EVENTSNN(slot) next = s->flight[slot].next;
        EVENTSNN(row) row = s->flight[slot].row;
        uint32_t wait;

        do {
            EVENTSNN(act)(s, row, s->flight[slot].count);
            wait = EVENTSNN(wait)[row];
            row++;
        } while (wait == 0u);
        if (wait < EVENTSNN(buckets)) {
            s->flight[slot].row = row;
            EVENTSNN(file)(s, slot, wait);
        } else {                                                /* that was its last row */
            s->waiting--;
            s->waiting_sources -= row > EVENTSNN(rows_neurons) ? 1u : 0u;
            s->flight[slot].next = s->free;
            s->free = slot;
        }
        slot = next;
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
    EVENTSNN(deliver)(s);
    for (word = 0; word < (EVENTSNN(neurons) + 31u) / 32u; word++) {
        uint32_t bits = s->touched[word];
        s->touched[word] = 0;
        for (j = 32u * word; bits != 0u; j++, bits >>= 1) {
            uint32_t count = (bits & 1u) != 0u ? EVENTSNN(judge)(s, j) : 0u;
            if (count > 0u) {
                EVENTSNN(send)(s, j, count);
                spiked(to, j, count);
            }
        }
    }
    s->now++;
    s->head = s->head + 1u < EVENTSNN(buckets) ? s->head + 1u : 0u;
}

/* Whether nothing will happen unless a source spikes. */
static inline bool EVENTSNN(idle)(const struct EVENTSNN(state) *s)
{
    return s->waiting == 0u && s->now > 0u;
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

#undef EVENTSNN_NOBODY
