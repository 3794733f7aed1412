/* SPDX-License-Identifier: BSD-2-Clause */
/* Any octets as both sides of a TLS connection: the lines stay JSON and memory within its limit, whatever they are. */
#include "fuzz/dissect_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    driver_run("tls", 6, 443, data, size);
    return 0;
}
