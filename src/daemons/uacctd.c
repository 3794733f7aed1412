/* SPDX-License-Identifier: BSD-2-Clause */
/* uacctd: packets that netfilter rules hand over (NFLOG). What is its own is where they come from. */
#include "core/daemon.h"
#include "daemons/packets.h"

static const struct daemon uacctd = {
    .name = "uacctd",
    .title = "Linux NetFilter NFLOG Accounting Daemon",
    .traffic = "NFLOG",
    .mask = DAEMON_UACCTD,
    .input = &input_nflog,
    .decoder = &packet_decoder,
};

int main(int argc, char **argv)
{
    return daemon_main(&uacctd, argc, argv);
}
