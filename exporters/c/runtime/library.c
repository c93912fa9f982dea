/* The two functions of a C library that compilers call by themselves, for machines without one. */

#include <stddef.h>

void *memset(void *to, int byte, size_t n);
void *memcpy(void *to, const void *from, size_t n);

void *memset(void *to, int byte, size_t n)
{
    volatile unsigned char *p = to;

    while (n-- > 0u) {
        *p++ = (unsigned char)byte;
    }
    return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
    volatile unsigned char *p = to;
    const unsigned char *q = from;

    while (n-- > 0u) {
        *p++ = *q++;
    }
    return to;
}
