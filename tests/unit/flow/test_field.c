/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of fields is consistent, and `aggregate` is read as pmacct reads it. */
#include "flow/flow.h"
#include "lib/tap.h"

static void check_table(void)
{
    unsigned wrong_width = 0, same_json = 0, same_title = 0, no_help = 0, same_rank = 0, wide_value = 0;

    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &field_table[i];
        unsigned in_flow = field->type == FIELD_TYPE_STRING ? sizeof(struct span) : field_type_bytes(field->type);

        wrong_width += field->flow_bytes != in_flow;
        no_help += field->help[0] == '\0';
        /* What merges must have 8 bytes in the flow, since its slot has (layout.c). */
        if (field->role != FIELD_ROLE_KEY && field->role != FIELD_ROLE_PURGE)
            wide_value += field->flow_bytes != 8;
        for (unsigned j = 0; j < i; j++) {
            same_json += strcmp(field->json, field_table[j].json) == 0;
            same_title += field->title && field_table[j].title && strcmp(field->title, field_table[j].title) == 0;
            same_rank += field->json_rank == field_table[j].json_rank;
            same_rank += field->title && field_table[j].title && field->csv_rank == field_table[j].csv_rank;
        }
    }
    is_u64(wrong_width, 0, "every member has the width of its type");
    is_u64(wide_value, 0, "every member that merges has 8 bytes");
    is_u64(same_json, 0, "no two fields share a JSON name");
    is_u64(same_title, 0, "no two fields share a CSV title");
    is_u64(same_rank, 0, "no two fields share a place in an output");
    is_u64(no_help, 0, "every field has a help text");
}

static void check_aggregate(void)
{
    struct aggregate a;
    struct error error;

    ok(aggregate_parse(&a, " SRC_host, dst_host ,proto,src_host,", &error) == 0, "case, blanks and duplicates do not matter");
    ok(field_set_has(&a.fields, FIELD_SRC_HOST) && field_set_has(&a.fields, FIELD_DST_HOST) &&
           field_set_has(&a.fields, FIELD_PROTO) && !field_set_has(&a.fields, FIELD_SRC_PORT),
       "exactly what was asked");
    ok(aggregate_parse(&a, "none", &error) == 0 && field_set_is_empty(&a.fields), "none is no field");
    ok(aggregate_parse(&a, "src_host_coords", &error) == 0 && field_set_has(&a.fields, FIELD_SRC_HOST_LAT) &&
           field_set_has(&a.fields, FIELD_SRC_HOST_LON),
       "coordinates are two fields");
    ok(aggregate_parse(&a, "src_hots", &error) < 0, "an unknown primitive is refused");
    is_text(error.text, "unknown primitive 'src_hots', did you mean 'src_host'?", "and the nearest one is named");
    ok(aggregate_parse(&a, "sum_host,src_port", &error) == 0 && a.sum && a.sum_source == FIELD_SRC_HOST, "sum_host is known");
    ok(aggregate_parse(&a, "sum_host,src_host", &error) < 0, "a sum and its field exclude each other");
    ok(aggregate_parse(&a, "src_host,sum_host", &error) < 0, "in both orders");
    ok(aggregate_parse(&a, "sum_host,sum_port", &error) < 0, "two sums exclude each other");
}

int main(void)
{
    plan_none();
    check_table();
    check_aggregate();
    return done_testing();
}
