/* eventsnn: spikes under way, what both modes have in common.  A spike waits in the bucket of the tick at which its next
   row of synapses acts, and moves on from row to row.  Included by eventsnn_event.h and eventsnn_tick.h. */

struct EVENTSNN(way) {
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
};

struct EVENTSNN(state);

/* A row of synapses acts, `count` times: each mode has its own. */
static inline void EVENTSNN(act)(struct EVENTSNN(state) *s, uint32_t row, uint32_t count);

#define EVENTSNN_NOBODY ((EVENTSNN(slot))~(EVENTSNN(slot))0)

static inline void EVENTSNN(clear)(struct EVENTSNN(way) *w)
{
    uint32_t i;

    w->waiting = 0;
    w->waiting_sources = 0;
    w->head = 0;
    for (i = 0; i < EVENTSNN(buckets); i++) {
        w->bucket[i] = EVENTSNN_NOBODY;
    }
    for (i = 0; i < EVENTSNN(in_flight); i++) {
        w->flight[i].next = i + 1u < EVENTSNN(in_flight) ? (EVENTSNN(slot))(i + 1u) : EVENTSNN_NOBODY;
    }
    w->free = 0;
}

/* Put a spike under way into the bucket `wait` ticks from now; 0 <= wait < buckets. */
static inline void EVENTSNN(file)(struct EVENTSNN(way) *w, EVENTSNN(slot) slot, uint32_t wait)
{
    uint32_t at = w->head + wait;

    at -= at < EVENTSNN(buckets) ? 0u : (uint32_t)EVENTSNN(buckets);
    w->flight[slot].next = w->bucket[at];
    w->bucket[at] = slot;
}

static inline void EVENTSNN(send)(struct EVENTSNN(way) *w, uint32_t emitter, uint32_t count)
{
    EVENTSNN(slot) slot = w->free;

    if (EVENTSNN(first_delay)[emitter] == 0u) {
        return;                                                 /* it has no synapses */
    }
    w->free = w->flight[slot].next;
    w->flight[slot].count = count;
    w->flight[slot].row = EVENTSNN(first_row)[emitter];
    w->waiting++;
    EVENTSNN(file)(w, slot, EVENTSNN(first_delay)[emitter]);
}

/* A source's spikes; false if there is no room for them. */
static inline bool EVENTSNN(admit)(struct EVENTSNN(way) *w, uint32_t emitter, uint32_t count)
{
    if (count == 0u || EVENTSNN(first_delay)[emitter] == 0u) {
        return true;
    }
    if (w->waiting_sources >= EVENTSNN(in_flight_sources)) {
        return false;
    }
    w->waiting_sources++;
    EVENTSNN(send)(w, emitter, count);
    return true;
}

/* All that acts at this tick. */
static inline void EVENTSNN(deliver)(struct EVENTSNN(way) *w, struct EVENTSNN(state) *s)
{
    EVENTSNN(slot) slot = w->bucket[w->head];

    w->bucket[w->head] = EVENTSNN_NOBODY;
    while (slot != EVENTSNN_NOBODY) {
        EVENTSNN(slot) next = w->flight[slot].next;
        EVENTSNN(row) row = w->flight[slot].row;
        uint32_t wait;

        do {
            EVENTSNN(act)(s, row, w->flight[slot].count);
            wait = EVENTSNN(wait)[row];
            row++;
        } while (wait == 0u);
        if (wait < EVENTSNN(buckets)) {
            w->flight[slot].row = row;
            EVENTSNN(file)(w, slot, wait);
        } else {                                                /* that was its last row */
            w->waiting--;
            w->waiting_sources -= row > EVENTSNN(rows_neurons) ? 1u : 0u;
            w->flight[slot].next = w->free;
            w->free = slot;
        }
        slot = next;
    }
}

/* The tick is over. */
static inline void EVENTSNN(turn)(struct EVENTSNN(way) *w)
{
    w->head = w->head + 1u < EVENTSNN(buckets) ? w->head + 1u : 0u;
}

#undef EVENTSNN_NOBODY
