/* SPDX-License-Identifier: BSD-2-Clause */
/* What the daemons that see packets have in common: their decoder, with classes and transactions where asked for. */
#ifndef DAEMONS_PACKETS_H
#define DAEMONS_PACKETS_H

#include "core/daemon.h"

extern const struct decoder_ops packet_decoder;

#endif
