/* Run one network through its recorded stimulus and print what it does: include its tables, eventsnn.h and stimulus.h
   first.  A line is "tick,neuron" per spike; with EVENTSNN_TRACE also "v,tick,neuron,V" and "i,tick,neuron,receptor,I"
   for every neuron after every tick that is not skipped; at the end "end,ticks,saturations".

   EVENTSNN_RESET n: first run up to tick n in silence, then reset, so that the run that is printed starts from there.
   No include guard, on purpose. */

static void EVENTSNN(spiked)(void *to, uint32_t neuron, uint32_t count)
{
    const struct EVENTSNN(state) *s = to;

    for (; count > 0u; count--) {
        say_number(s->now);
        say_comma();
        say_number(neuron);
        say_end();
    }
}

static void EVENTSNN(unheard)(void *to, uint32_t neuron, uint32_t count)
{
    (void)to;
    (void)neuron;
    (void)count;
}

/* Up to tick `until`; false if the sources' spikes found no room. */
static bool EVENTSNN(run)(struct EVENTSNN(state) *s, uint64_t until, void (*spiked)(void *, uint32_t, uint32_t), bool trace)
{
    uint64_t due = EVENTSNN(stimulus)[0].wait;              /* of the next line of the stimulus */
    uint32_t i = 0, j, k;

    EVENTSNN(init)(s);
    while (s->now < until) {
        while (due == s->now && i != EVENTSNN(stimuli)) {
            if (!EVENTSNN(spike)(s, EVENTSNN(stimulus)[i].emitter, EVENTSNN(stimulus)[i].count)) {
                return false;
            }
            i++;
            due += EVENTSNN(stimulus)[i].wait;
        }
        if (EVENTSNN(idle)(s)) {
            uint64_t next = i != EVENTSNN(stimuli) && due < until ? due : until;
            if (next > s->now) {
                EVENTSNN(skip)(s, next);
                continue;
            }
        }
        EVENTSNN(step)(s, spiked, s);
        for (j = 0; trace && j < EVENTSNN(neurons); j++) {
            say_text("v,");
            say_number(s->now - 1u);
            say_comma();
            say_number(j);
            say_comma();
            say_signed(EVENTSNN(v)(s, j));
            say_end();
            for (k = 0; k != EVENTSNN(currents); k++) {
                say_text("i,");
                say_number(s->now - 1u);
                say_comma();
                say_number(j);
                say_comma();
                say_number(k);
                say_comma();
                say_signed(EVENTSNN(current)(s, j, k));
                say_end();
            }
        }
    }
    return true;
}

static bool EVENTSNN(replay)(struct EVENTSNN(state) *s)
{
#ifdef EVENTSNN_RESET
    if (!EVENTSNN(run)(s, EVENTSNN_RESET, EVENTSNN(unheard), false)) {
        return false;
    }
#else
    (void)EVENTSNN(unheard);
#endif
#ifdef EVENTSNN_TRACE
    if (!EVENTSNN(run)(s, EVENTSNN(until), EVENTSNN(spiked), true)) {
#else
    if (!EVENTSNN(run)(s, EVENTSNN(until), EVENTSNN(spiked), false)) {
#endif
        return false;
    }
    say_text("end,");
    say_number(s->now);
    say_comma();
    say_number(s->saturations);
    say_end();
    return true;
}
