/* SPDX-License-Identifier: BSD-2-Clause */
/* Any octets as DNS, over UDP or TCP: the lines stay JSON and memory within its limit, whatever they are. */
#include "fuzz/dissect_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    driver_run("dns", size > 0 && (data[0] & 0x40) != 0 ? 6 : 17, 53, data, size);
    return 0;
}
