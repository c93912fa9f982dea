/* Cortex-M0 and up without any library: vectors, start, and output by ARM semihosting (QEMU, or a debugger). */

#include "port.h"

extern uint32_t port_data_from[], port_data[], port_data_end[], port_bss[], port_bss_end[], port_stack[];

int main(void);

static uint32_t semihosting(uint32_t operation, const void *block)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = block;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void port_write(const char *text, uint32_t length)
{
    static uint32_t console = UINT32_MAX;

    if (console == UINT32_MAX) {
        const uint32_t name[3] = {(uint32_t)(uintptr_t)":tt", 4, 3};          /* standard output, "w" */
        console = semihosting(0x01, name);
    }
    while (length > 0u) {
        const uint32_t block[3] = {console, (uint32_t)(uintptr_t)text, length};
        uint32_t left = semihosting(0x05, block);           /* how much was not written: a pipe may be full */
        if (left <= length) {
            text += length - left;
            length = left;
        }
    }
}

void port_exit(int code)
{
    const uint32_t block[2] = {0x20026, (uint32_t)code};

    semihosting(0x20, block);                           /* SYS_EXIT_EXTENDED, the application's own exit */
    for (;;) {
    }
}

void port_start(void)
{
    volatile uint32_t *to;
    const uint32_t *from = port_data_from;

    for (to = port_data; to < port_data_end; to++) {
        *to = *from++;
    }
    for (to = port_bss; to < port_bss_end; to++) {
        *to = 0;
    }
    port_exit(main());
}

static void port_fault(void)
{
    port_exit(70);
}

__attribute__((section(".vectors"), used)) static const uintptr_t vectors[16] = {
    (uintptr_t)port_stack, (uintptr_t)port_start, (uintptr_t)port_fault, (uintptr_t)port_fault,
};
