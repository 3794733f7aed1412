/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Views of a record: which settings can share one, what each map, file and list may change, that all of it is put back
 * to the bit, and what a view needs of a record. The table of changes goes over every member that a view may touch.
 */
#include "enrich/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/tap.h"

static char folder[] = "/tmp/test_view.XXXXXX";

static void give_up(const char *why)
{
    ok(false, "%s", why);
    exit(done_testing());
}

static const char *file_of(const char *name, const char *text)
{
    static char paths[16][64];
    static unsigned used;
    char *path = paths[used++ % array_length(paths)];
    FILE *file;

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
        give_up("cannot write the files of this test");
    return path;
}

static struct address address_of(const char *text)
{
    struct address address;

    address_parse(text, &address);
    return address;
}

/* -- who shares -- */

static void set_pre_tag(struct settings *s) { s->pre_tag_map = "/a"; }
static void set_networks(struct settings *s) { s->networks_file = "/a"; }
static void set_ports(struct settings *s) { s->ports_file = "/a"; }
static void set_protos(struct settings *s) { s->protos_file = "/a"; }
static void set_tos(struct settings *s) { s->tos_file = "/a"; }
static void set_filter(struct settings *s) { s->networks_file_filter = true; }
static void set_no_lpm(struct settings *s) { s->networks_file_no_lpm = true; }
static void set_mask(struct settings *s) { s->networks_mask = 24; }
static void set_if_zero(struct settings *s) { s->networks_no_mask_if_zero = true; }
static void set_net(struct settings *s) { s->net_source = 3; s->set[KEY_net_source] = true; }
static void set_net_default(struct settings *s) { s->set[KEY_net_source] = true; }
static void set_dscp(struct settings *s) { s->tos_encode_as_dscp = true; }
static void set_dscp_list(struct settings *s) { s->tos_file = "/a"; s->tos_encode_as_dscp = true; }
static void set_post_tag(struct settings *s) { s->post_tag = 1; }
static void set_tag_filter(struct settings *s) { s->pre_tag_filter = "1"; }
static void set_rate(struct settings *s) { s->sampling_rate = 10; }
static void set_aggregate_filter(struct settings *s) { s->aggregate_filter = "tcp"; }

static void test_same(void)
{
    static const struct {
        const char *name;
        void (*set)(struct settings *s);
        bool shared; /* with a plugin that has it not */
    } rows[] = {
        {"pre_tag_map", set_pre_tag, false},
        {"networks_file", set_networks, false},
        {"ports_file", set_ports, false},
        {"protos_file", set_protos, false},
        {"tos_file", set_tos, false},
        {"networks_file_filter", set_filter, false},
        {"networks_file_no_lpm", set_no_lpm, false},
        {"networks_mask", set_mask, false},
        {"networks_no_mask_if_zero", set_if_zero, false},
        {"nfacctd_net", set_net, false},
        {"nfacctd_net, set to what it is anyway", set_net_default, false},
        {"tos_encode_as_dscp without a list", set_dscp, true},
        {"post_tag", set_post_tag, true},
        {"pre_tag_filter", set_tag_filter, true},
        {"sampling_rate", set_rate, true},
        {"aggregate_filter", set_aggregate_filter, true},
    };
    struct settings a, b, plain;

    settings_init(&plain);
    for (unsigned i = 0; i < array_length(rows); i++) {
        settings_init(&a);
        settings_init(&b);
        rows[i].set(&a);
        ok(view_same(&a, &plain) == rows[i].shared && view_same(&plain, &a) == rows[i].shared, "%s: %s", rows[i].name,
           rows[i].shared ? "no matter" : "a view of its own");
        rows[i].set(&b);
        ok(view_same(&a, &b), "%s: the same in both", rows[i].name);
    }
    settings_init(&a);
    settings_init(&b);
    set_tos(&a);
    set_dscp_list(&b);
    ok(!view_same(&a, &b), "a list of ToS is another one as DSCP");
    a.tos_file = b.tos_file = NULL;
    a.pre_tag_map = file_of("x", "set_tag=1\n");
    b.pre_tag_map = file_of("x", "set_tag=1\n");
    ok(a.pre_tag_map != b.pre_tag_map && view_same(&a, &b), "paths are compared by what they say");
}

/* -- save and restore -- */

#define MEMBERS                                                                                                        \
    MEMBER(SRC_HOST, src_host)                                                                                         \
    MEMBER(DST_HOST, dst_host)                                                                                         \
    MEMBER(SRC_NET, src_net)                                                                                           \
    MEMBER(DST_NET, dst_net)                                                                                           \
    MEMBER(PEER_DST_IP, peer_dst_ip)                                                                                   \
    MEMBER(LABEL, label)                                                                                               \
    MEMBER(TAG, tag)                                                                                                   \
    MEMBER(TAG2, tag2)                                                                                                 \
    MEMBER(SRC_AS, src_as)                                                                                             \
    MEMBER(DST_AS, dst_as)                                                                                             \
    MEMBER(PEER_SRC_AS, peer_src_as)                                                                                   \
    MEMBER(PEER_DST_AS, peer_dst_as)                                                                                   \
    MEMBER(SRC_PORT, src_port)                                                                                         \
    MEMBER(DST_PORT, dst_port)                                                                                         \
    MEMBER(SRC_MASK, src_mask)                                                                                         \
    MEMBER(DST_MASK, dst_mask)                                                                                         \
    MEMBER(PROTO, proto)                                                                                               \
    MEMBER(TOS, tos)

static const struct member {
    enum field_id id;
    const char *name;
    size_t at, bytes;
} members[] = {
#define MEMBER(ID, member) {FIELD_##ID, #member, offsetof(struct flow, member), sizeof(((struct flow *)0)->member)},
    MEMBERS
#undef MEMBER
};

static void test_saved(void)
{
    static struct flow flow, was;
    struct view_saved saved;

    for (unsigned i = 0; i < array_length(members); i++) {
        const struct member *member = &members[i];

        for (unsigned have = 0; have < 2; have++) {
            memset(&flow, 0x11, sizeof(flow));
            flow_clear(&flow);
            if (have)
                field_set_add(&flow.have, member->id);
            was = flow;
            view_save(&flow, &saved);
            memset((uint8_t *)&flow + member->at, 0x22, member->bytes);
            field_set_add(&flow.have, member->id);
            field_set_add(&flow.have, FIELD_ETYPE);
            view_restore(&saved, &flow);
            ok(memcmp(&flow, &was, sizeof(flow)) == 0, "%s that was %s is put back", member->name,
               have ? "there" : "absent");
        }
    }
}

/* -- what a view changes -- */

static struct flow a_flow(void)
{
    static struct flow flow;

    memset(&flow, 0x11, sizeof(flow));
    flow_clear(&flow);
    memset(&flow.traits, 0, sizeof(flow.traits));
    flow_set_src_host(&flow, address_of("192.0.2.1"));
    flow_set_dst_host(&flow, address_of("198.51.100.1"));
    flow_set_peer_src_ip(&flow, address_of("203.0.113.1"));
    flow_set_src_port(&flow, 40000);
    flow_set_dst_port(&flow, 50000);
    flow_set_proto(&flow, 6);
    flow_set_tos(&flow, 16);
    flow_set_packets(&flow, 2);
    flow_set_bytes(&flow, 300);
    return flow;
}

struct change {
    const char *name;
    const char *pre_tag, *networks, *ports, *protos, *tos; /* texts of files */
    bool filter;
    uint8_t mask;
    enum field_id changed[10]; /* FIELD_COUNT ends them */
};

#define END FIELD_COUNT
static const struct change changes[] = {
    {.name = "nothing", .changed = {END}},
    {.name = "a tag", .pre_tag = "set_tag=1\n", .changed = {FIELD_TAG, END}},
    {.name = "a second tag", .pre_tag = "set_tag2=1 ip=203.0.113.1\n", .changed = {FIELD_TAG2, END}},
    {.name = "a label", .pre_tag = "set_label=x\n", .changed = {FIELD_LABEL, END}},
    {.name = "a ToS", .pre_tag = "set_tos=32\n", .changed = {FIELD_TOS, END}},
    {.name = "a row that does not fit", .pre_tag = "set_tag=1 ip=203.0.113.2\n", .changed = {END}},
    {.name = "all that a map can set",
     .pre_tag = "set_tag=1 jeq=next\nset_tag2=2 jeq=next\nset_label=x set_tos=32\n",
     .changed = {FIELD_TAG, FIELD_TAG2, FIELD_LABEL, FIELD_TOS, END}},
    {.name = "the source's network", .networks = "65001_65002,192.0.2.0/24\n",
     .changed = {FIELD_SRC_NET, FIELD_SRC_MASK, FIELD_SRC_AS, FIELD_PEER_SRC_AS, FIELD_DST_NET, FIELD_DST_MASK,
                 FIELD_DST_AS, FIELD_PEER_DST_AS, END}},
    {.name = "with a next hop", .networks = "203.0.113.9,65001_65002,198.51.100.0/24\n",
     .changed = {FIELD_SRC_NET, FIELD_SRC_MASK, FIELD_SRC_AS, FIELD_PEER_SRC_AS, FIELD_DST_NET, FIELD_DST_MASK,
                 FIELD_DST_AS, FIELD_PEER_DST_AS, FIELD_PEER_DST_IP, END}},
    {.name = "one mask for all", .mask = 20,
     .changed = {FIELD_SRC_NET, FIELD_SRC_MASK, FIELD_SRC_AS, FIELD_PEER_SRC_AS, FIELD_DST_NET, FIELD_DST_MASK,
                 FIELD_DST_AS, FIELD_PEER_DST_AS, END}},
    {.name = "ports", .ports = "40000\n", .changed = {FIELD_DST_PORT, END}},
    {.name = "both ports", .ports = "1\n", .changed = {FIELD_SRC_PORT, FIELD_DST_PORT, END}},
    {.name = "protocols", .protos = "udp\n", .changed = {FIELD_PROTO, END}},
    {.name = "ToS", .tos = "1\n", .changed = {FIELD_TOS, END}},
    {.name = "lists that have it", .ports = "40000\n50000\n", .protos = "tcp\n", .tos = "16\n", .changed = {END}},
};

static bool is_among(const enum field_id *ids, enum field_id id)
{
    while (*ids != END && *ids != id)
        ids++;
    return *ids == id;
}

/* Whether a field has come, gone or changed. */
static bool differs(const struct flow *a, const struct flow *b, enum field_id id)
{
    const struct field *field = &field_table[id];

    if (flow_has(a, id) != flow_has(b, id))
        return true;
    return flow_has(a, id) && memcmp((const uint8_t *)a + field->flow_offset, (const uint8_t *)b + field->flow_offset,
                                     field->flow_bytes) != 0;
}

static void open_change(const struct change *change, struct settings *settings, struct settings *core)
{
    settings_init(settings);
    settings_init(core);
    core->as_source = 3; /* file */
    core->set[KEY_as_source] = change->networks != NULL || change->mask != 0;
    settings->pre_tag_map = change->pre_tag != NULL ? file_of("tags", change->pre_tag) : NULL;
    settings->networks_file = change->networks != NULL ? file_of("networks", change->networks) : NULL;
    settings->ports_file = change->ports != NULL ? file_of("ports", change->ports) : NULL;
    settings->protos_file = change->protos != NULL ? file_of("protos", change->protos) : NULL;
    settings->tos_file = change->tos != NULL ? file_of("tos", change->tos) : NULL;
    settings->networks_file_filter = change->filter;
    settings->networks_mask = change->mask;
    settings->net_source = change->mask != 0 ? 2 : 3; /* mask, or file */
    settings->set[KEY_net_source] = change->networks != NULL || change->mask != 0;
}

/* Everything that networks can give is wanted where there are networks. */
static struct field_set wants_of(const struct change *change)
{
    struct field_set wants = {{0}};

    if (change->networks != NULL || change->mask != 0)
        for (unsigned i = 0; i < array_length(members); i++)
            if (members[i].id != FIELD_PEER_DST_IP || strstr(change->name, "next hop") != NULL)
                field_set_add(&wants, members[i].id);
    return wants;
}

static void test_change(const struct change *change)
{
    struct field_set needs = {{0}}, wants = wants_of(change);
    static struct flow flow, was;
    struct flow_image image = {.made = false};
    struct settings settings, core;
    struct view_saved saved;
    struct error error = {""};
    struct maps *maps = maps_new(DAEMON_NFACCTD, &error);
    struct view view;

    open_change(change, &settings, &core);
    if (maps == NULL || view_init(&view, &settings, &core, DAEMON_NFACCTD, &wants, maps, &needs, &error) < 0)
        give_up(error.text);
    ok(view_is_empty(&view) == (strcmp(change->name, "nothing") == 0), "%s: %s", change->name,
       view_is_empty(&view) ? "an empty view" : "a view");
    flow = a_flow();
    was = flow;
    view_save(&flow, &saved);
    view_tag(&view, &flow, &image);
    view_finish(&view, &flow);
    for (unsigned id = 0; id < FIELD_COUNT; id++)
        if (differs(&flow, &was, (enum field_id)id) != is_among(change->changed, (enum field_id)id))
            ok(false, "%s: %s is %schanged", change->name, field_table[id].json,
               is_among(change->changed, (enum field_id)id) ? "not " : "");
    view_restore(&saved, &flow);
    ok(memcmp(flow.have.words, was.have.words, sizeof(was.have)) == 0, "%s: no field has come or gone", change->name);
    ok(memcmp(&flow, &was, sizeof(flow)) == 0, "%s: all is put back to the bit", change->name);
    maps_free(maps);
}

/* Each of the two steps by itself, and the addresses that a file's filter takes away. */
static void test_steps(void)
{
    const struct change change = {.name = "next hop", .pre_tag = "set_tag=1\n", .networks = "10.0.0.0/8\n",
                                  .ports = "1\n", .filter = true};
    struct field_set needs = {{0}}, wants = wants_of(&change);
    struct flow_image image = {.made = false};
    struct settings settings, core;
    struct view_saved saved;
    struct error error = {""};
    struct maps *maps = maps_new(DAEMON_NFACCTD, &error);
    static struct flow flow, was;
    struct view view;

    open_change(&change, &settings, &core);
    if (maps == NULL || view_init(&view, &settings, &core, DAEMON_NFACCTD, &wants, maps, &needs, &error) < 0)
        give_up(error.text);
    is_u64(maps_count(maps), 3, "its maps are opened once each");
    flow = was = a_flow();
    flow_set_peer_dst_ip(&flow, address_of("203.0.113.77"));
    flow_set_label(&flow, (struct span){"mine", 4});
    was = flow;
    view_save(&flow, &saved);
    view_tag(&view, &flow, &image);
    ok(flow_has(&flow, FIELD_TAG) && flow.src_port == 40000 && flow.src_host.bytes[12] == 192,
       "tagging leaves ports and networks to be filtered by");
    view_finish(&view, &flow);
    ok(flow.src_port == 0 && flow.src_host.bytes[12] == 0 && flow.dst_host.bytes[12] == 0 &&
           !flow_has(&flow, FIELD_PEER_DST_IP),
       "finishing zeroes ports and addresses, and takes the next hop away");
    view_restore(&saved, &flow);
    ok(memcmp(&flow, &was, sizeof(flow)) == 0, "all is put back to the bit");
    maps_free(maps);
}

static void test_needs(void)
{
    const struct change map = {.name = "map", .pre_tag = "set_tag=1\n"};
    const struct change networks = {.name = "networks", .networks = "1.0.0.0/8\n"};
    const struct change lists = {.name = "lists", .ports = "1\n"};
    const struct change *const all[] = {&map, &map, &networks, &lists};
    static const enum daemon_mask daemons[] = {DAEMON_NFACCTD, DAEMON_PMACCTD, DAEMON_NFACCTD, DAEMON_NFACCTD};
    static const bool host[] = {true, true, true, false};
    struct field_set of_image = {{0}};

    flow_image_fields(&of_image);
    for (unsigned i = 0; i < array_length(all); i++) {
        struct field_set needs = {{0}}, wants = wants_of(all[i]), both;
        struct settings settings, core;
        struct error error = {""};
        struct maps *maps = maps_new(daemons[i], &error);
        struct view view;

        open_change(all[i], &settings, &core);
        if (maps == NULL || view_init(&view, &settings, &core, daemons[i], &wants, maps, &needs, &error) < 0)
            give_up(error.text);
        ok(field_set_has(&needs, FIELD_SRC_HOST) == host[i], "%s in daemon %u: %s addresses", all[i]->name,
           (unsigned)daemons[i], host[i] ? "asks for" : "does not ask for");
        both = needs;
        field_set_merge(&both, &of_image);
        ok((memcmp(&both, &needs, sizeof(both)) == 0) == (i == 0),
           "all that filters look at is asked for where there is a map, and a record is no packet");
        maps_free(maps);
    }
}

static void test_refused(void)
{
    struct field_set needs = {{0}}, wants = {{0}};
    struct settings settings, core;
    struct error error = {""};
    struct maps *maps = maps_new(DAEMON_NFACCTD, &error);
    struct view view;

    settings_init(&settings);
    settings_init(&core);
    settings.ports_file = file_of("broken", "1\nx\n");
    ok(view_init(&view, &settings, &core, DAEMON_NFACCTD, &wants, maps, &needs, &error) < 0 &&
           strstr(error.text, "broken:2") != NULL,
       "a broken list is told with file and line: %s", error.text);
    settings.ports_file = NULL;
    settings.networks_file = "/nonexistent/networks";
    ok(view_init(&view, &settings, &core, DAEMON_NFACCTD, &wants, maps, &needs, &error) < 0 &&
           strstr(error.text, "/nonexistent/networks") != NULL,
       "a missing file by its name: %s", error.text);
    maps_free(maps);
}

int main(void)
{
    char command[64];

    plan_none();
    if (mkdtemp(folder) == NULL)
        give_up("cannot make a folder");
    test_same();
    test_saved();
    for (unsigned i = 0; i < array_length(changes); i++)
        test_change(&changes[i]);
    test_steps();
    test_needs();
    test_refused();
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    ok(system(command) == 0, "cleaned up");
    return done_testing();
}
