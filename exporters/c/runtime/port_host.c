/* A machine with a C library. */

#include "port.h"

#include <stdio.h>
#include <stdlib.h>

void port_write(const char *text, uint32_t length)
{
    fwrite(text, 1, length, stdout);
}

void port_exit(int code)
{
    exit(code);
}
