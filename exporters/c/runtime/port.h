/* What the replay needs of a machine.  A port is one file: port_host.c, port_cortex_m.c, port_riscv.c, port_mips.c. */

#ifndef EVENTSNN_PORT_H
#define EVENTSNN_PORT_H

#include <stdint.h>

void port_write(const char *text, uint32_t length);
void port_exit(int code);                               /* does not return; not called on a machine with an OS */

#endif
