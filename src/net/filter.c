/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/filter.h"

#include <pcap/pcap.h>
#include <stdlib.h>

#define snaplen 262144 /* what a program returns for a match; it must not be 0 */

/*
 * libpcap's optimiser needs a time that grows with the third power: 0.2 s for this many instructions, 20 s for three
 * times as many (1.10.3). Longer programs are run as they are.
 */
#define optimised_max 6000
#define surely_short 1024 /* bytes of an expression that cannot give a longer program */

struct filter {
    struct bpf_program program;
};

/* Numbers of files that the running system's libpcap knows by another number; all others are the same. */
static int data_link(uint16_t link)
{
    static const struct {
        uint16_t link;
        int data_link;
    } others[] = {
        {100, DLT_ATM_RFC1483}, {101, DLT_RAW}, {102, DLT_SLIP_BSDOS}, {103, DLT_PPP_BSDOS}, {106, DLT_ATM_CLIP},
    };

    for (unsigned i = 0; i < array_length(others); i++)
        if (others[i].link == link)
            return others[i].data_link;
    return link;
}

/* Each call has a handle of its own: what libpcap keeps while it compiles hangs there (since 1.8). */
static int compile(struct bpf_program *program, const char *expression, uint16_t link, bool optimise,
                   struct error *error)
{
    pcap_t *handle = pcap_open_dead(data_link(link), snaplen);
    int result = 0;

    if (handle == NULL)
        return error_set(error, "out of memory for the filter '%.200s'", expression);
    if (pcap_compile(handle, program, expression, optimise, PCAP_NETMASK_UNKNOWN) < 0)
        result = error_set(error, "the filter '%.200s' cannot be used: %.200s", expression, pcap_geterr(handle));
    pcap_close(handle);
    return result;
}

static int compile_well(struct filter *filter, const char *expression, uint16_t link, struct error *error)
{
    bool is_short = strlen(expression) <= surely_short;
    struct bpf_program optimised;

    if (compile(&filter->program, expression, link, is_short, error) < 0)
        return -1;
    if (is_short || filter->program.bf_len > optimised_max)
        return 0;
    if (compile(&optimised, expression, link, true, error) < 0) {
        pcap_freecode(&filter->program);
        return -1;
    }
    pcap_freecode(&filter->program);
    filter->program = optimised;
    return 0;
}

struct filter *filter_new(const char *expression, uint16_t link, struct error *error)
{
    struct filter *filter;

    if (expression[strspn(expression, " \t\r\n")] == '\0') {
        error_set(error, "the filter is empty, expected an expression of pcap-filter(7)");
        return NULL;
    }
    if (strlen(expression) > filter_expression_max) {
        error_set(error, "the filter '%.40s...' is longer than %u bytes", expression, filter_expression_max);
        return NULL;
    }
    filter = calloc(1, sizeof(*filter));
    if (filter == NULL) {
        error_set(error, "out of memory for the filter '%.200s'", expression);
        return NULL;
    }
    if (compile_well(filter, expression, link, error) < 0) {
        free(filter);
        return NULL;
    }
    return filter;
}

void filter_free(struct filter *filter)
{
    if (filter == NULL)
        return;
    pcap_freecode(&filter->program);
    free(filter);
}

bool filter_is_readable(const char *expression, uint16_t link)
{
    struct bpf_program program;

    if (compile(&program, expression, link, false, NULL) < 0)
        return false;
    pcap_freecode(&program);
    return true;
}

bool filter_match(const struct filter *filter, const uint8_t *bytes, uint32_t captured, uint32_t length)
{
    return bpf_filter(filter->program.bf_insns, bytes, length, captured) != 0;
}
