/* SPDX-License-Identifier: BSD-2-Clause */
/* pmacctd: packets from network devices and capture files. What is its own is where they come from. */
#include "core/daemon.h"
#include "daemons/packets.h"

static const struct daemon pmacctd = {
    .name = "pmacctd",
    .title = "Promiscuous Mode Accounting Daemon",
    .traffic = "packet",
    .mask = DAEMON_PMACCTD,
    .input = &input_devices,
    .decoder = &packet_decoder,
};

int main(int argc, char **argv)
{
    return daemon_main(&pmacctd, argc, argv);
}
