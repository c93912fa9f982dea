/* eventsnn: the loop of one network of a chip, what all profiles have in common.  A spike acts at the next tick, so what
   is under way are the spikes of one tick: how often each emitter fired.  Sources act first, then neurons, each in
   ascending order, which counts where a current saturates at every single arrival.  The state at tick 0 is given and not
   judged.  A neuron that a tick without input leaves as it is sleeps.

   Included by eventsnn_loihi1_lava.h and eventsnn_xylo.h after their registers; they also have the four verbs. */

struct EVENTSNN(state) {
    uint64_t now;                                       /* the tick that `step` does next */
    uint64_t saturations;                               /* how often a register could not hold a value */
    struct EVENTSNN(registers) r;
    uint32_t fired[2][EVENTSNN(emitters)];              /* spikes of the last tick and of this one, in turns */
    uint32_t some[2][(EVENTSNN(emitters) + 31) / 32];   /* a bit for each emitter that fired */
    uint32_t awake[(EVENTSNN(neurons) + 31) / 32];      /* a bit for each neuron that the next tick may change */
};

/* The registers of neuron j at tick 0. */
static inline void EVENTSNN(begin)(struct EVENTSNN(state) *s, uint32_t j);

/* A weight arrives `count` times at a receptor of neuron j. */
static inline void EVENTSNN(arrive)(struct EVENTSNN(state) *s, uint32_t j, uint32_t receptor, int64_t weight,
                                    uint32_t count);

/* One tick of one neuron before it is judged; whether it stays awake. */
static inline bool EVENTSNN(finish)(struct EVENTSNN(state) *s, uint32_t j);

/* The spikes of one neuron at this tick. */
static inline uint32_t EVENTSNN(judge)(struct EVENTSNN(state) *s, uint32_t j);

static inline void EVENTSNN(init)(struct EVENTSNN(state) *s)
{
    uint32_t i;

    s->now = 0;
    s->saturations = 0;
    for (i = 0; i < EVENTSNN(emitters); i++) {
        s->fired[0][i] = s->fired[1][i] = 0;
    }
    for (i = 0; i < (EVENTSNN(emitters) + 31u) / 32u; i++) {
        s->some[0][i] = s->some[1][i] = 0;
    }
    for (i = 0; i < (EVENTSNN(neurons) + 31u) / 32u; i++) {
        s->awake[i] = 0;
    }
    for (i = 0; i < EVENTSNN(neurons); i++) {
        EVENTSNN(begin)(s, i);
        s->awake[i / 32u] |= UINT32_C(1) << (i % 32u);
    }
}

static inline void EVENTSNN(send)(struct EVENTSNN(state) *s, uint32_t emitter, uint32_t count)
{
    uint32_t side = (uint32_t)(s->now & 1u);

    if (EVENTSNN(first_delay)[emitter] != 0u && count > 0u) {
        s->fired[side][emitter] += count;
        s->some[side][emitter / 32u] |= UINT32_C(1) << (emitter % 32u);
    }
}

/* `count` spikes of a source (neurons <= emitter < emitters) at tick `now`; there is always room for them. */
static inline bool EVENTSNN(spike)(struct EVENTSNN(state) *s, uint32_t emitter, uint32_t count)
{
    EVENTSNN(send)(s, emitter, count);
    return true;
}

/* The synapses of an emitter, `count` times each. */
static inline void EVENTSNN(act)(struct EVENTSNN(state) *s, uint32_t emitter, uint32_t count)
{
    uint32_t row = EVENTSNN(first_row)[emitter], wait, i;

    do {
        int64_t scale = (int64_t)1 << EVENTSNN(shift)[row];
        for (i = EVENTSNN(first)[row]; i < EVENTSNN(first)[row + 1u]; i++) {
            uint32_t j = EVENTSNN(target)[i];
            EVENTSNN(arrive)(s, j, EVENTSNN(receptor)[row], EVENTSNN(mantissa)[i] * scale, count);
            s->awake[j / 32u] |= UINT32_C(1) << (j % 32u);
        }
        wait = EVENTSNN(wait)[row];
        row++;
    } while (wait == 0u);
}

/* What emitters first .. last - 1 fired at the tick before acts. */
static inline void EVENTSNN(deliver)(struct EVENTSNN(state) *s, uint32_t first, uint32_t last)
{
    uint32_t side = (uint32_t)((s->now + 1u) & 1u), e;

    for (e = first; e < last; e++) {
        uint32_t bits = s->some[side][e / 32u] >> (e % 32u);
        if (bits == 0u) {
            e |= 31u;                                           /* on to the next word */
        } else if ((bits & 1u) != 0u) {
            EVENTSNN(act)(s, e, s->fired[side][e]);
            s->fired[side][e] = 0;
            s->some[side][e / 32u] &= ~(UINT32_C(1) << (e % 32u));
        }
    }
}

/* Tick `now`. */
static inline void EVENTSNN(step)(struct EVENTSNN(state) *s, void (*spiked)(void *to, uint32_t neuron, uint32_t count),
                                  void *to)
{
    uint32_t word, j;

    EVENTSNN(deliver)(s, EVENTSNN(neurons), EVENTSNN(emitters));
    EVENTSNN(deliver)(s, 0, EVENTSNN(neurons));
    for (word = 0; s->now > 0u && word < (EVENTSNN(neurons) + 31u) / 32u; word++) {
        uint32_t bits = s->awake[word], bit = 1u, awake = 0;
        for (j = 32u * word; bits != 0u; j++, bits >>= 1, bit <<= 1) {
            if ((bits & 1u) != 0u) {
                bool stays = EVENTSNN(finish)(s, j);
                uint32_t count = EVENTSNN(judge)(s, j);
                if (count > 0u) {
                    EVENTSNN(send)(s, j, count);
                    spiked(to, j, count);
                }
                awake |= stays || count > 0u ? bit : 0u;
            }
        }
        s->awake[word] = awake;
    }
    s->now++;
}

/* Whether nothing will happen unless a source spikes. */
static inline bool EVENTSNN(idle)(const struct EVENTSNN(state) *s)
{
    uint32_t word, any = 0;

    for (word = 0; word < (EVENTSNN(neurons) + 31u) / 32u; word++) {
        any |= s->awake[word];
    }
    for (word = 0; word < (EVENTSNN(emitters) + 31u) / 32u; word++) {
        any |= s->some[0][word] | s->some[1][word];
    }
    return any == 0u;
}

/* Let the ticks before `until` pass while the network is idle. */
static inline void EVENTSNN(skip)(struct EVENTSNN(state) *s, uint64_t until)
{
    s->now = s->now < until ? until : s->now;
}
