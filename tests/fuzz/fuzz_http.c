/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any octets as both sides of an HTTP connection: the lines stay JSON and memory within its limit, whatever they
 * are.
 */
#include "fuzz/dissect_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    driver_run("http", 6, 80, data, size);
    return 0;
}
