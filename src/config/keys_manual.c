/* SPDX-License-Identifier: BSD-2-Clause */
/* Run while building: writes the part of the manual page flowledger-keys(5) that comes from the tables. */
#include "config/config.h"

int main(void)
{
    config_keys_manual(stdout);
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
