/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/common/name: variables, times, and values that must not leave their place in a path. */
#include "plugins/common/name.h"

#include "lib/tap.h"

static struct layout layout, plain;
static struct time_bins bins = {.count = 5, .unit = TIME_UNIT_MINUTE, .utc = true};
static struct error error;
static uint8_t body[layout_key_max + 8 * layout_values_max];

static void compile(struct layout *to, const char *list, bool history)
{
    struct aggregate aggregate;
    struct layout_options options = {.history = history, .base_time = FIELD_TIMESTAMP_ARRIVAL};

    memset(&aggregate, 0, sizeof(aggregate));
    if (aggregate_parse(&aggregate, list, &error) != 0 || layout_compile(to, &aggregate, &options, &error) != 0)
        skip_all(error.text);
}

static void is_name(const char *text, const struct layout *of, const uint8_t *row, const char *want)
{
    struct name_options options = {.layout = of, .bins = &bins, .utc = true, .post_tag = 7, .post_tag2 = 8};
    struct name *name = name_new(text, &options, &error);
    char out[256] = "";

    ok(name && name_format(name, row, name_seconds(name, row, 1795217400), out, sizeof(out), &error) == 0,
       "'%s' made", text);
    is_text(out, want, "'%s'", text);
    name_free(name);
}

static void test_texts(void)
{
    const struct {
        const char *in;
        size_t length;
        const char *want;
    } cases[] = {
        {"10.1.1.1", 8, "10_1_1_1"},   {"2001:db8::1", 11, "2001_db8__1"}, {"../../etc/passwd", 16, "______etc_passwd"},
        {"..", 2, "__"},               {".", 1, "_"},                      {"", 0, "null"},
        {"a\0b", 3, "a_b"},            {"%Y$tag", 6, "_Y_tag"},            {"\xff\n\x1b[", 4, "____"},
        {"-rf x;y'z\"", 10, "-rf_x_y_z_"},
    };
    char out[64];

    for (unsigned i = 0; i < array_length(cases); i++) {
        name_put_text(cases[i].in, cases[i].length, out, sizeof(out));
        is_text(out, cases[i].want, "text %u", i);
    }
    is_u64(name_put_text("abcdef", 6, out, 4), 3, "cut to fit");
    is_text(out, "abc", "with its NUL");
}

int main(void)
{
    static const uint8_t octets[4] = {10, 1, 1, 1};
    struct address address;
    struct name *name;
    const struct layout_slot *slots[name_slots_max];
    char small[8];

    plan_none();
    compile(&layout, "peer_src_ip, tag, tag2, src_host", true);
    compile(&plain, "src_host", false);
    time_bins_start(&bins, 1795217400);
    address_set_ipv4(&address, octets);
    memcpy(body + layout_find(&layout, FIELD_PEER_SRC_IP)->offset, &address, 16);
    store_u64(body + layout_find(&layout, FIELD_TAG)->offset, 42);
    store_u64(body + layout_find(&layout, FIELD_TAG2)->offset, UINT64_MAX);
    store_u64(body + layout.bin_offset, 1795217100);

    is_name("/var/file.csv", &layout, body, "/var/file.csv");
    is_name("cnt-$peer_src_ip.json", &layout, body, "cnt-10_1_1_1.json");
    is_name("$tag/$tag2/$tags", &layout, body, "42/18446744073709551615/42s");
    is_name("$post_tag-$post_tag2-$post", &layout, body, "7-8-$post");
    is_name("%Y%m%d-%H%M-$ref-$hst", &layout, body, "20261120-2325-1795217100-300");
    is_name("%H%M$tzone", &plain, body, "2330+00:00");
    is_name("$peer_src_ip-$tag", &plain, body, "null-null");
    is_name("$tag-%H%M", &layout, NULL, "null-2330");
    is_name("$unknown$", &layout, body, "$unknown$");
    store_u64(body + layout.bin_offset, 0);
    is_name("%H%M", &layout, body, "2330");
    memset(body + layout_find(&layout, FIELD_PEER_SRC_IP)->offset, 0, 16);
    is_name("$peer_src_ip", &layout, body, "null");
    test_texts();

    struct name_options options = {.layout = &layout, .utc = true};
    name = name_new("x-$peer_src_ip-%H-$tag-$tag-$ref", &options, &error);
    ok(name_is_dynamic(name) && name_uses_time(name), "dynamic with time");
    is_u64(name_slots(name, slots), 3, "depends on bin, peer_src_ip and tag, each once");
    ok(name_format(name, body, 0, small, sizeof(small), &error) == -1, "does not fit: %s", error.text);
    name_free(name);
    name = name_new("x", &options, &error);
    ok(!name_is_dynamic(name) && !name_uses_time(name) && name_slots(name, slots) == 0, "static");
    name_free(name);
    name = name_new("", &options, &error);
    ok(name && name_format(name, body, 0, small, sizeof(small), &error) == -1, "empty: %s", error.text);
    name_free(name);
    char many[600] = "";
    for (unsigned i = 0; i < 80; i++)
        strncat(many, "$tag,", sizeof(many) - strlen(many) - 1);
    ok(!name_new(many, &options, &error), "too many parts: %s", error.text);
    return done_testing();
}
