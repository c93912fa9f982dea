/* eventsnn: the arithmetic of FX-LIF v1 in C99, what all exported networks have in common.

   No heap, no floating point, no recursion, no division.  Products and shifts act on magnitudes, so nothing depends on
   how a compiler shifts negative numbers: results are rounded toward zero, on every machine. */

#ifndef EVENTSNN_TYPES_H
#define EVENTSNN_TYPES_H

#include <stdbool.h>
#include <stdint.h>

/* Names of one network: EVENTSNN(step) is digits_step where EVENTSNN_NAME is digits. */
#define EVENTSNN_GLUE(a, b) a##_##b
#define EVENTSNN_JOIN(a, b) EVENTSNN_GLUE(a, b)
#define EVENTSNN(name) EVENTSNN_JOIN(EVENTSNN_NAME, name)

enum eventsnn_decay { EVENTSNN_NONE, EVENTSNN_LINEAR, EVENTSNN_MUL, EVENTSNN_LUT };

/* The constants of a neuron; neurons that have all of them in common share one. */
struct eventsnn_kind {
    int64_t theta;           /* threshold; 2^63 - 1: a readout */
    const uint32_t *coarse;  /* LUT: factor by age >> fine_bits, in units of 2^-bits */
    const uint32_t *fine;    /* LUT: factor by the rest of the age */
    int32_t top;             /* V lies within [-top, top] */
    int32_t reset;
    uint32_t mask;           /* ticks after a spike's own during which input is discarded */
    uint32_t rate;           /* LINEAR: lost in a tick; MUL: factor in units of 2^-bits */
    uint32_t length;         /* LUT: V is 0 from this age on */
    uint8_t bits;
    uint8_t fine_bits;
    uint8_t decay;           /* enum eventsnn_decay */
    uint8_t subtract;        /* 1: V - (theta - reset) while V >= theta; 0: V = reset */
};

static inline uint32_t eventsnn_scaled(uint32_t size, uint32_t factor, uint32_t bits)
{
    return (uint32_t)(((uint64_t)size * factor) >> bits);
}

/* V after n ticks without input. */
static inline int32_t eventsnn_decayed(const struct eventsnn_kind *k, int32_t v, uint32_t n)
{
    uint32_t size = v < 0 ? 0u - (uint32_t)v : (uint32_t)v;

    switch (k->decay) {
    case EVENTSNN_LINEAR: {
        uint64_t lost = (uint64_t)k->rate * n;
        size = lost < size ? size - (uint32_t)lost : 0u;
        break;
    }
    case EVENTSNN_MUL:
        for (; n > 0u && size > 0u; n--) {
            size = eventsnn_scaled(size, k->rate, k->bits);
        }
        break;
    case EVENTSNN_LUT:
        if (n >= k->length) {
            return 0;
        }
        size = eventsnn_scaled(size, k->coarse[n >> k->fine_bits], k->bits);
        size = eventsnn_scaled(size, k->fine[n & ((UINT32_C(1) << k->fine_bits) - 1u)], k->bits);
        break;
    default:
        break;
    }
    return v < 0 ? -(int32_t)size : (int32_t)size;
}

#endif
