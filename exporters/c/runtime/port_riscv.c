/* RV32 without any library, all of it in RAM: start, and output by RISC-V semihosting (QEMU, or a debugger). */

#include "port.h"

int main(void);
void port_begin(void);

static uint32_t semihosting(uint32_t operation, const void *block)
{
    register uint32_t a0 __asm__("a0") = operation;
    register const void *a1 __asm__("a1") = block;

    __asm__ volatile(".balign 16\n\t.option push\n\t.option norvc\n\t"
                     "slli x0, x0, 0x1f\n\tebreak\n\tsrai x0, x0, 7\n\t.option pop"
                     : "+r"(a0) : "r"(a1) : "memory");
    return a0;
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

__asm__(".section .start, \"ax\"\n.globl port_start\nport_start:\n"
        "\tla sp, port_stack\n\tcall port_begin\n.text\n");

void port_begin(void)
{
    extern uint32_t port_bss[], port_bss_end[];
    volatile uint32_t *to;

    for (to = port_bss; to < port_bss_end; to++) {
        *to = 0;
    }
    port_exit(main());
}
