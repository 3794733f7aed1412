/* SPDX-License-Identifier: BSD-2-Clause */
/* The packet decoder on the link types of captures, and the numbers by which files name them. */
#include "test_packet_capture_cases.h"
#include "test_packet_run.h"

static void test_numbers(void)
{
    static const struct {
        uint16_t number;
        enum packet_link link;
    } rows[] = {
        {0, PACKET_LINK_NULL}, {1, PACKET_LINK_ETHERNET}, {6, PACKET_LINK_UNKNOWN},
        {9, PACKET_LINK_C_HDLC}, {10, PACKET_LINK_UNKNOWN}, {12, PACKET_LINK_RAW},
        {14, PACKET_LINK_RAW}, {50, PACKET_LINK_C_HDLC}, {51, PACKET_LINK_PPPOE},
        {101, PACKET_LINK_RAW}, {104, PACKET_LINK_C_HDLC}, {105, PACKET_LINK_IEEE80211},
        {107, PACKET_LINK_UNKNOWN}, {108, PACKET_LINK_NULL}, {113, PACKET_LINK_SLL},
        {119, PACKET_LINK_PRISM}, {127, PACKET_LINK_RADIOTAP}, {163, PACKET_LINK_AVS},
        {192, PACKET_LINK_PPI}, {219, PACKET_LINK_MPLS}, {226, PACKET_LINK_UNKNOWN},
        {228, PACKET_LINK_RAW}, {229, PACKET_LINK_RAW}, {239, PACKET_LINK_NFLOG},
        {258, PACKET_LINK_UNKNOWN}, {276, PACKET_LINK_SLL2}, {65535, PACKET_LINK_UNKNOWN},
    };

    for (unsigned i = 0; i < array_length(rows); i++)
        is_u64(packet_link_of(rows[i].number), rows[i].link, "link type %u", rows[i].number);
}

int main(void)
{
    plan_none();
    for (unsigned i = 0; i < array_length(capture_vectors); i++) {
        struct octets frame = {.size = 0};

        capture_vectors[i].build(&frame);
        test_whole(&capture_vectors[i], &frame);
        test_cut(&capture_vectors[i], &frame);
    }
    test_numbers();
    return done_testing();
}
