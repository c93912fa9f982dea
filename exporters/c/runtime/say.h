/* Decimal lines for `port_write`, in place of printf, which would bring floating point along. */

#ifndef EVENTSNN_SAY_H
#define EVENTSNN_SAY_H

#include "port.h"

static char say_line[256];
static uint32_t say_length;

static void say_flush(void)
{
    port_write(say_line, say_length);
    say_length = 0;
}

static void say_text(const char *text)
{
    for (; *text != '\0'; text++) {
        say_line[say_length++] = *text;
    }
}

static void say_number(uint64_t n)
{
    char digits[20];
    uint32_t k = 0;

    do {
        digits[k++] = (char)('0' + (char)(n % 10u));
        n /= 10u;
    } while (n > 0u);
    while (k > 0u) {
        say_line[say_length++] = digits[--k];
    }
}

static void say_signed(int64_t n)
{
    if (n < 0) {
        say_text("-");
    }
    say_number(n < 0 ? 0u - (uint64_t)n : (uint64_t)n);
}

static void say_comma(void)
{
    say_text(",");
}

static void say_end(void)
{
    say_text("\n");
    if (say_length > sizeof say_line - 80u) {
        say_flush();
    }
}

#endif
