/* Big-endian MIPS under Linux (or qemu-mips) without any library: start, and two system calls. */

#include "port.h"

int main(void);
void port_begin(void);

static void call(uint32_t number, uint32_t a, uint32_t b, uint32_t c)
{
    register uint32_t v0 __asm__("$2") = number;
    register uint32_t a0 __asm__("$4") = a;
    register uint32_t a1 __asm__("$5") = b;
    register uint32_t a2 __asm__("$6") = c;
    register uint32_t a3 __asm__("$7");

    __asm__ volatile("syscall" : "+r"(v0), "=r"(a3) : "r"(a0), "r"(a1), "r"(a2)
                     : "$1", "$3", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15", "$24", "$25", "memory");
}

void port_write(const char *text, uint32_t length)
{
    call(4004, 1, (uint32_t)(uintptr_t)text, length);
}

void port_exit(int code)
{
    call(4001, (uint32_t)code, 0, 0);
    for (;;) {
    }
}

__asm__(".globl __start\n__start:\n\t.set noreorder\n\tjal port_begin\n\tnop\n\t.set reorder\n");

void port_begin(void)
{
    port_exit(main());
}
