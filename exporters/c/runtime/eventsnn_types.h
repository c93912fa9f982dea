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

enum eventsnn_decay { EVENTSNN_NONE, EVENTSNN_LINEAR, EVENTSNN_MUL, EVENTSNN_LUT, EVENTSNN_SHIFT };
enum eventsnn_rounding { EVENTSNN_DOWN, EVENTSNN_FLOOR, EVENTSNN_ROUND };
enum eventsnn_saturation { EVENTSNN_SYMMETRIC, EVENTSNN_FULL, EVENTSNN_WRAP };

/* The constants of a neuron in event mode; neurons that have all of them in common share one. */
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

/* A receptor in tick mode. */
struct eventsnn_receptor {
    int32_t top;             /* the current lies within [-top, top], or from -top - 1 on */
    uint32_t rate;           /* of its decay: see eventsnn_faded */
    uint8_t direct;          /* 1: it has no current, its input goes straight into V */
    uint8_t decay;
    uint8_t bits;
    uint8_t fall;            /* V takes in current / 2^fall */
};

/* The constants of a neuron in tick mode. */
struct eventsnn_cell {
    int64_t theta;           /* threshold; 2^63 - 1: a readout */
    const struct eventsnn_receptor *receptor;
    int32_t top;
    int32_t reset;
    int32_t bias;
    uint32_t mask;           /* ticks after a spike's own during which V stands still */
    uint32_t rate;
    uint32_t spikes;         /* at most so many at one tick */
    uint8_t decay;
    uint8_t bits;
    uint8_t rounding;
    uint8_t saturation;
    uint8_t strict;          /* 1: a spike needs V > theta; 0: V >= theta */
    uint8_t subtract;        /* 1: V - (theta - reset); 0: V = reset */
    uint8_t input_first;     /* 1: a current takes in its input before it decays */
    uint8_t receptors;
};

/* The constants of a neuron of Loihi 1 as Lava has it: see eventsnn_loihi1_lava.h. */
struct eventsnn_loihi1_lava {
    int32_t theta;           /* vth << 6 */
    int32_t bias;
    uint32_t falls;          /* where the shifts of its receptors' sums begin */
    uint16_t du;
    uint16_t dv;
};

/* The constants of a neuron of Xylo: see eventsnn_xylo.h. */
struct eventsnn_xylo {
    int16_t threshold;
    int16_t bias;            /* 0 in version 1 */
    uint8_t version;
    uint8_t dash_mem;
    uint8_t dash_syn[2];
    uint8_t most;            /* spikes at one tick */
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

/* x / 2^bits, down; ~x of a negative x is not negative, so no negative number is shifted. */
static inline int64_t eventsnn_floor(int64_t x, uint32_t bits)
{
    return x < 0 ? ~(~x >> bits) : x >> bits;
}

/* x / 2^bits: toward zero, down, or to nearest with ties to even. */
static inline int64_t eventsnn_quotient(int64_t x, uint32_t bits, uint32_t rounding)
{
    if (bits == 0u) {
        return x;
    }
    if (rounding == EVENTSNN_DOWN) {
        return x < 0 ? -(-x >> bits) : x >> bits;
    }
    if (rounding == EVENTSNN_ROUND) {
        int64_t odd = eventsnn_floor(x, bits) % 2 != 0 ? 1 : 0;
        x += ((int64_t)1 << (bits - 1u)) - 1 + odd;
    }
    return eventsnn_floor(x, bits);
}

/* v after one tick: LINEAR loses `rate`; MUL and LUT are v rate / 2^bits; SHIFT loses v / 2^rate, with bits = 1 at least
   one LSB. */
static inline int64_t eventsnn_faded(uint32_t decay, uint32_t rate, uint32_t bits, uint32_t rounding, int64_t v)
{
    int64_t lost;

    switch (decay) {
    case EVENTSNN_LINEAR:
        lost = v < 0 ? -(int64_t)rate : (int64_t)rate;
        return (v < 0 ? v >= lost : v <= lost) ? 0 : v - lost;
    case EVENTSNN_MUL:
    case EVENTSNN_LUT:
        return eventsnn_quotient(v * (int64_t)rate, bits, rounding);
    case EVENTSNN_SHIFT:
        lost = eventsnn_quotient(v, rate, rounding);
        if (lost == 0 && bits != 0u) {
            lost = v > 0 ? 1 : v < 0 ? -1 : 0;
        }
        return v - lost;
    default:
        return v;
    }
}

/* x in the range of a register whose largest value is top = 2^(B-1) - 1. */
static inline int64_t eventsnn_held(int64_t x, int32_t top, uint32_t saturation)
{
    int64_t low = saturation == EVENTSNN_SYMMETRIC ? -(int64_t)top : -(int64_t)top - 1;

    if (saturation == EVENTSNN_WRAP) {
        uint64_t span = 2u * (uint64_t)top + 1u;
        return (int64_t)(((uint64_t)x + (uint64_t)top + 1u) & span) - top - 1;
    }
    return x < low ? low : x > top ? top : x;
}

#endif
