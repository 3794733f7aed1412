/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/common/preprocess: what is kept, any and all, and what is refused. */
#include "plugins/common/preprocess.h"

#include "lib/tap.h"

static struct layout plain, with_flows;
static struct error error;

static void compile(struct layout *layout, const char *list)
{
    struct aggregate aggregate;
    struct layout_options options = {.base_time = FIELD_TIMESTAMP_ARRIVAL};

    memset(&aggregate, 0, sizeof(aggregate));
    if (aggregate_parse(&aggregate, list, &error) != 0 ||
        layout_compile(layout, &aggregate, &options, &error) != 0)
        skip_all(error.text);
}

static bool keeps(const char *list, bool all, uint64_t packets, uint64_t bytes, uint64_t flows)
{
    struct preprocess preprocess;
    uint8_t body[layout_key_max + 8 * layout_values_max] = {0};

    if (!ok(preprocess_parse(&preprocess, list, all, &with_flows, &error) == 0, "parsed '%s'", list))
        return false;
    store_u64(body + with_flows.key_bytes, packets);
    store_u64(body + with_flows.key_bytes + 8, bytes);
    store_u64(body + layout_find(&with_flows, FIELD_FLOWS)->offset, flows);
    return preprocess_keeps(&preprocess, &with_flows, body);
}

static void refuse(const char *list, const struct layout *layout, const char *phrase)
{
    struct preprocess preprocess;

    ok(preprocess_parse(&preprocess, list, false, layout, &error) == -1, "'%s' is refused", list);
    is_text(error.text, phrase, "and says why");
}

int main(void)
{
    struct preprocess none;

    plan_none();
    compile(&plain, "src_host");
    compile(&with_flows, "src_host, flows");
    ok(preprocess_parse(&none, NULL, false, &plain, &error) == 0 && preprocess_keeps(&none, &plain, NULL),
       "nothing configured keeps all");
    ok(keeps("minp=10", false, 10, 0, 0) && !keeps("minp=10", false, 9, 0, 0), "minp keeps from there on");
    ok(keeps("maxb=10", false, 0, 9, 0) && !keeps("maxb=10", false, 0, 10, 0), "maxb keeps below");
    ok(keeps("minf=2", false, 0, 0, 2) && !keeps("minf=2", false, 9, 9, 1), "minf");
    ok(keeps("maxf=2", false, 0, 0, 1) && !keeps("maxf=2", false, 0, 0, 2), "maxf");
    ok(keeps("minbpp=100", false, 3, 300, 0) && !keeps("minbpp=100", false, 3, 299, 0), "minbpp");
    ok(keeps("minppf=5", false, 10, 0, 2) && !keeps("minppf=5", false, 9, 0, 2), "minppf");
    ok(keeps("minbpp=100", false, 0, 0, 0), "a ratio to zero is kept");
    ok(!keeps("minbpp=18446744073709551615", false, 2, UINT64_MAX, 0), "no overflow");
    ok(keeps(" minp = 10 , minb=64000 ", false, 1, 64000, 0), "any: one is enough");
    ok(!keeps("minp=10,minb=64000", true, 1, 64000, 0), "all: both");
    ok(keeps("minp=10,minb=64000", true, 10, 64000, 0), "all: both hold");
    refuse("", &plain, "preprocess: no check in it");
    refuse("minp", &plain, "preprocess: expected name=number at 'minp'");
    refuse("minp=", &plain, "preprocess: expected a number after 'minp='");
    refuse("minp=-1", &plain, "preprocess: expected a number after 'minp='");
    refuse("minp=1 minb=2", &plain, "preprocess: expected a comma at 'minb=2'");
    refuse("minp=99999999999999999999", &plain, "preprocess: the number after 'minp=' is too large");
    refuse("minf=1", &plain, "preprocess: 'minf' needs 'flows' in aggregate");
    refuse("qnum=1", &plain, "preprocess: 'qnum' is not offered by this plugin");
    refuse("mini=1", &plain, "preprocess: 'mini' is unknown; expected minp minf minb maxp maxf maxb minbpp minppf");
    refuse("minp=1,minp=1,minp=1,minp=1,minp=1,minp=1,minp=1,minp=1,minp=1", &plain,
           "preprocess: more than 8 checks");
    return done_testing();
}
