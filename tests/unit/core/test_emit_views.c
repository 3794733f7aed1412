/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plugins with maps, networks, lists and filters of their own: each sees the record by its own settings, the next one
 * sees it as it was, filters see it before networks and lists change it, and for each plugin the books balance.
 */
#include "test_emit_world.h"

/* -- tags -- */

static void test_tags(void)
{
    enum { FIRST, SECOND, NONE, LIKE_FIRST, FILTERED };
    struct row rows[plugins_max];
    struct settings *plugin;

    begin();
    add("first", "tag,tag2,tos,label")->pre_tag_map =
        file_of("first", "set_tag=100++ src_net=192.0.2.0/24\nset_tag=1\n");
    add("second", "tag,tag2,tos,label")->pre_tag_map =
        file_of("second", "set_tag2=5 set_tos=64 set_label=here src_port=40000\n");
    add("none", "tag,tag2,tos,label");
    plugin = add("like_first", "tag,tos");
    plugin->pre_tag_map = settings[FIRST].pre_tag_map;
    plugin->post_tag2 = 77;
    plugin = add("filtered", "tag,tag2");
    plugin->pre_tag_map = settings[FIRST].pre_tag_map;
    plugin->pre_tag_filter = "1";
    open_all(DAEMON_NFACCTD);
    for (unsigned i = 0; i < 2; i++) {
        emit(a_flow(i == 0 ? "192.0.2.1" : "192.0.2.2"));
        for (unsigned n = 0; n < FILTERED; n++)
            if (take(n, &rows[n], 1) != 1)
                give_up("a record is missing");
        is_u64(number(FIRST, &rows[FIRST], FIELD_TAG), 100 + i, "a plugin sees the tag of its own map");
        is_u64(number(FIRST, &rows[FIRST], FIELD_TAG2), 0, "and nothing of another's: no tag2");
        is_u64(number(FIRST, &rows[FIRST], FIELD_TOS), 16, "and the ToS as it was");
        is_u64(number(SECOND, &rows[SECOND], FIELD_TAG), 0, "the second has no tag");
        is_u64(number(SECOND, &rows[SECOND], FIELD_TAG2), 5, "but the tag2 of its map");
        is_u64(number(SECOND, &rows[SECOND], FIELD_TOS), 64, "its ToS");
        ok(has_text(SECOND, &rows[SECOND], "here"), "and its label");
        is_u64(number(NONE, &rows[NONE], FIELD_TAG), 0, "without a map there is no tag");
        is_u64(number(NONE, &rows[NONE], FIELD_TOS), 16, "and the ToS as it came");
        ok(has_text(NONE, &rows[NONE], ""), "and no label");
        is_u64(number(LIKE_FIRST, &rows[LIKE_FIRST], FIELD_TAG), 100 + i,
               "who has the first one's map has its tag, counted once for both");
        is_u64(take(FILTERED, rows, 1), 0, "the filter of another with that map lets none through");
    }
    emit(a_flow("203.0.113.1"));
    is_u64(take(FILTERED, rows, 1), 1, "but a record with its tag");
    is_u64(emitted(FILTERED, EMIT_records_filtered), 2, "the others are counted");
    is_u64(emitted(FIRST, EMIT_records_filtered), 0, "of nobody else");
    finish("tags");
}

/* -- networks and lists -- */

static struct settings *add_networks(const char *name, const char *path, bool filter)
{
    struct settings *plugin = add(name, "src_host,src_net,src_mask,src_as,src_port,proto");

    plugin->networks_file = path;
    plugin->networks_file_filter = filter;
    plugin->net_source = 3; /* file */
    plugin->set[KEY_net_source] = true;
    return plugin;
}

static void test_networks(void)
{
    enum { FIRST, SECOND, OUTSIDE, PORTS, PROTOS, NONE };
    struct row row;

    begin();
    core.as_source = 3; /* file */
    core.set[KEY_as_source] = true;
    add_networks("first", file_of("networks1", "100,192.0.2.0/24\n"), false);
    add_networks("second", file_of("networks2", "200,192.0.0.0/16\n"), false);
    add_networks("outside", file_of("networks3", "300,10.0.0.0/8\n"), true);
    add("ports", "src_port,dst_port,tos,src_host")->ports_file = file_of("ports", "443\n");
    add("protos", "src_port,proto,tos,src_host")->protos_file = file_of("protos", "udp\n");
    settings[PROTOS].tos_file = file_of("tos", "4\n");
    settings[PROTOS].tos_encode_as_dscp = true;
    add("none", "src_host,src_port,proto,tos,src_mask");
    open_all(DAEMON_NFACCTD);
    emit(a_flow("192.0.2.1"));
    ok(take(FIRST, &row, 1) == 1 && number(FIRST, &row, FIELD_SRC_AS) == 100 &&
           number(FIRST, &row, FIELD_SRC_MASK) == 24 && has_address(FIRST, &row, FIELD_SRC_NET, "192.0.2.0"),
       "networks of the first one's file");
    ok(take(SECOND, &row, 1) == 1 && number(SECOND, &row, FIELD_SRC_AS) == 200 &&
           number(SECOND, &row, FIELD_SRC_MASK) == 16 && has_address(SECOND, &row, FIELD_SRC_NET, "192.0.0.0") &&
           has_address(SECOND, &row, FIELD_SRC_HOST, "192.0.2.1"),
       "networks of the second one's file");
    ok(take(OUTSIDE, &row, 1) == 1 && has_address(OUTSIDE, &row, FIELD_SRC_HOST, "0.0.0.0") &&
           number(OUTSIDE, &row, FIELD_SRC_PORT) == 40000,
       "outside of a file that filters the address is 0");
    ok(take(PORTS, &row, 1) == 1 && number(PORTS, &row, FIELD_SRC_PORT) == 0 &&
           number(PORTS, &row, FIELD_DST_PORT) == 443 && number(PORTS, &row, FIELD_TOS) == 16 &&
           has_address(PORTS, &row, FIELD_SRC_HOST, "192.0.2.1"),
       "a list of ports, of a record as it was");
    ok(take(PROTOS, &row, 1) == 1 && number(PROTOS, &row, FIELD_SRC_PORT) == 40000 &&
           number(PROTOS, &row, FIELD_PROTO) == 255 && number(PROTOS, &row, FIELD_TOS) == 4,
       "lists of protocols and DSCP");
    ok(take(NONE, &row, 1) == 1 && has_address(NONE, &row, FIELD_SRC_HOST, "192.0.2.1") &&
           number(NONE, &row, FIELD_SRC_PORT) == 40000 && number(NONE, &row, FIELD_PROTO) == 6 &&
           number(NONE, &row, FIELD_TOS) == 16 && number(NONE, &row, FIELD_SRC_MASK) == 8,
       "and the last plugin sees the record as it came");
    finish("networks");
}

/* A filter by address or port is of what the packet had, not of what networks and lists made of it. */
static void test_order(void)
{
    enum { KEPT, LEFT, MADE };
    static const char *const filters[] = {"src host 192.0.2.1 and src port 40000", "src host 192.0.2.2",
                                          "src host 0.0.0.0"};
    const char *networks, *ports;
    struct row row;

    begin();
    networks = file_of("networks3", "300,10.0.0.0/8\n");
    ports = file_of("ports", "443\n");
    for (unsigned i = 0; i < array_length(filters); i++) {
        struct settings *plugin = add_networks(i == KEPT ? "kept" : i == LEFT ? "left" : "made", networks, true);

        plugin->ports_file = ports;
        plugin->aggregate_filter = filters[i];
    }
    open_all(DAEMON_NFACCTD);
    emit(a_flow("192.0.2.1"));
    is_u64(take(KEPT, &row, 1), 1, "the filter sees the address that the packet had");
    ok(has_address(KEPT, &row, FIELD_SRC_HOST, "0.0.0.0") && number(KEPT, &row, FIELD_SRC_PORT) == 0,
       "and the plugin what became of it");
    is_u64(take(LEFT, &row, 1), 0, "another one's filter of the same view has its own mind");
    is_u64(take(MADE, &row, 1), 0, "what networks make is never asked for");
    finish("order");
}

/* Nothing but a filter, of one plugin alone. */
static void test_filter_alone(void)
{
    struct row row;

    begin();
    add("alone", "src_host")->aggregate_filter = "src host 192.0.2.1";
    open_all(DAEMON_PMACCTD);
    emit(a_flow("192.0.2.1"));
    emit(a_flow("192.0.2.2"));
    is_u64(take(0, &row, 1), 1, "a filter needs no view to be asked");
    finish("a filter");
}

/* -- needs and words -- */

static unsigned said;

static void say(const char *plugin, const char *text)
{
    said += strcmp(plugin, "told") == 0 && strstr(text, "9") != NULL;
}

static void test_needs(void)
{
    struct field_set needs;

    begin();
    add("told", "proto")->pre_tag_filter = "-7,9";
    add("image", "proto")->aggregate_filter = "src host 192.0.2.1";
    add_networks("networks", file_of("networks1", "100,192.0.2.0/24\n"), false);
    open_all(DAEMON_NFACCTD);
    needs = emitter_needs(emitter);
    ok(field_set_has(&needs, FIELD_TAG) && field_set_has(&needs, FIELD_SRC_HOST) &&
           field_set_has(&needs, FIELD_TCPFLAGS) && !field_set_has(&needs, FIELD_TUNNEL_PROTO),
       "filters and networks need fields that nobody shows");
    emitter_tell(emitter, true, say);
    is_u64(said, 1, "at the start a notice is told, once, of its plugin");
    emitter_tell(emitter, false, say);
    is_u64(said, 1, "at the end there is nothing to tell");
    finish("needs");
}

/* -- all at once -- */

static void test_balance(void)
{
    static const char *const sources[] = {"192.0.2.1", "192.0.2.2", "10.1.2.3", "2001:db8::1"};
    struct row row;
    struct settings *plugin;

    begin();
    plugin = add("tags", "src_host,tag");
    plugin->pre_tag_map = file_of("first", "set_tag=1 src_net=192.0.2.1/32\nset_tag=2\n");
    plugin->pre_tag_filter = "2";
    plugin->sampling_rate = 3;
    add("filter", "src_host")->aggregate_filter = "ip6";
    plugin = add_networks("networks", file_of("networks1", "100,192.0.2.0/24\n"), true);
    plugin->sampling_rate = 2;
    add("sum", "sum_host")->aggregate_filter = "net 192.0.2.0/24";
    add("drops", "drop_reason,src_host");
    add("all", "src_host,dst_host,src_port,dst_port");
    open_all(DAEMON_PMACCTD);
    for (unsigned i = 0; i < 20000; i++) {
        struct flow flow = a_flow(sources[i * 2654435761u >> 30]);

        flow.discard = i % 7 == 0;
        emit(flow);
        if (i % 500 == 0)
            take(5, &row, 1);
        if (i % 90 == 0)
            emit_publish(emitter);
    }
    emit_publish(emitter);
    ok(emitted(5, EMIT_records_filtered) == 2858 && emitted(4, EMIT_records_filtered) == 0,
       "discarded packets are for those only that ask for the reason");
    ok(emitted(4, EMIT_records_dropped_ring_full) > 0 && emitted(0, EMIT_records_sampled_out) > 0 &&
           emitted(3, EMIT_records_doubled) > 0,
       "full rings, samples and sums are among it");
    finish("all at once");
}

/* A map that cannot be read is told with the plugin's name. */
static void test_refused(void)
{
    struct emit_options options = {.core = &core, .daemon = DAEMON_NFACCTD};
    struct error error = {""};

    begin();
    add("good", "src_host");
    add("bad", "src_host")->pre_tag_map = file_of("broken", "set_tag=1\nset_tagg=2\n");
    maps = maps_new(DAEMON_NFACCTD, &error);
    options.maps = maps;
    emitter = emitter_new(targets, plugin_count, &options, &error);
    ok(emitter == NULL && strstr(error.text, "print[bad]") != NULL && strstr(error.text, "broken:2") != NULL,
       "a broken map: %s", error.text);
    settings[1].pre_tag_map = NULL;
    settings[1].pre_tag_filter = "x";
    ok(emitter_new(targets, plugin_count, &options, &error) == NULL && strstr(error.text, "'bad'") != NULL,
       "a broken filter: %s", error.text);
    settings[1].pre_tag_filter = NULL;
    emitter = emitter_new(targets, plugin_count, &options, &error);
    if (emitter == NULL)
        give_up(error.text);
    finish("after that");
}

int main(void)
{
    plan_none();
    make_folder();
    test_tags();
    test_networks();
    test_order();
    test_filter_alone();
    test_needs();
    test_balance();
    test_refused();
    remove_folder();
    return done_testing();
}
