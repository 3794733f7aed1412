/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of information elements is in order and complete enough to be found by number and by name. */
#include "flow/element.h"
#include "lib/tap.h"

#include <ctype.h>
#include <strings.h>

static void check_table(void)
{
    unsigned rows = 0, iana = 0, disorder = 0, lost = 0, bad_name = 0, bad_type = 0, ambiguous = 0;
    const struct element *before = NULL, *row;

    for (unsigned i = 0; (row = element_at(i)) != NULL; i++) {
        const struct element *named = element_by_name(row->name);

        rows++;
        iana += row->enterprise == 0 && row->id < 32768;
        if (before != NULL)
            disorder += before->enterprise > row->enterprise ||
                        (before->enterprise == row->enterprise && before->id >= row->id);
        lost += element_find(row->enterprise, row->id) != row;
        /* A name leads to its element, or to an earlier one that has the same. */
        ambiguous += named == NULL || strcasecmp(named->name, row->name) != 0;
        bad_name += strlen(row->name) > 56 || !isalpha((unsigned char)row->name[0]);
        for (const char *at = row->name; *at; at++)
            bad_name += !isalnum((unsigned char)*at) && *at != '_';
        bad_type += row->type >= ELEMENT_TYPE_COUNT || row->semantics > ELEMENT_SEMANTICS_SNMP_GAUGE;
        before = row;
    }
    ok(rows >= 1400, "%u elements", rows);
    ok(iana >= 502, "%u of them are IANA's", iana);
    is_u64(disorder, 0, "in the order of enterprise and id");
    is_u64(lost, 0, "each is found by its number");
    is_u64(ambiguous, 0, "each name is found");
    is_u64(bad_name, 0, "names are letters, digits and '_', short enough for \"reverse\" before them");
    is_u64(bad_type, 0, "types and semantics are in range");
}

/* From the registry, RFC 7270, and the documents of the enterprises. */
static void check_known(void)
{
    static const struct {
        uint32_t enterprise, id;
        const char *name;
        unsigned type;
        unsigned semantics;
        const char *units;
    } known[] = {
        {0, 1, "octetDeltaCount", ELEMENT_U64, ELEMENT_SEMANTICS_DELTA_COUNTER, "octets"},
        {0, 8, "sourceIPv4Address", ELEMENT_IPV4, ELEMENT_SEMANTICS_DEFAULT, ""},
        {0, 56, "sourceMacAddress", ELEMENT_MAC, ELEMENT_SEMANTICS_DEFAULT, ""},
        {0, 95, "applicationId", ELEMENT_OCTETS, ELEMENT_SEMANTICS_DEFAULT, ""},
        {0, 152, "flowStartMilliseconds", ELEMENT_MILLISECONDS, ELEMENT_SEMANTICS_DEFAULT, "milliseconds"},
        {0, 234, "ingressVRFID", ELEMENT_U32, ELEMENT_SEMANTICS_DEFAULT, ""},
        {0, 276, "dataRecordsReliability", ELEMENT_BOOLEAN, ELEMENT_SEMANTICS_DEFAULT, ""},
        {0, 292, "subTemplateList", ELEMENT_SUB_TEMPLATE_LIST, ELEMENT_SEMANTICS_LIST, ""},
        {0, 311, "samplingProbability", ELEMENT_F64, ELEMENT_SEMANTICS_QUANTITY, ""},
        {0, 434, "mibObjectValueInteger", ELEMENT_I32, ELEMENT_SEMANTICS_QUANTITY, ""},
        {0, 483, "bgpCommunity", ELEMENT_U32, ELEMENT_SEMANTICS_IDENTIFIER, ""},
        {0, 40000, "aaaUsername", ELEMENT_STRING, ELEMENT_SEMANTICS_DEFAULT, ""},
        {9, 12232, "applicationCategoryName", ELEMENT_STRING, ELEMENT_SEMANTICS_DEFAULT, ""},
        {5951, 128, "netscalerRoundTripTime", ELEMENT_U32, ELEMENT_SEMANTICS_DEFAULT, ""},
        {6876, 891, "tunnelType", ELEMENT_U8, ELEMENT_SEMANTICS_IDENTIFIER, ""},
        {43874, 3, "label", ELEMENT_STRING, ELEMENT_SEMANTICS_DEFAULT, ""},
        {29305, 1, "reverseOctetDeltaCount", ELEMENT_U64, ELEMENT_SEMANTICS_DELTA_COUNTER, "octets"},
        {29305, 234, "reverseIngressVRFID", ELEMENT_U32, ELEMENT_SEMANTICS_DEFAULT, ""},
    };

    for (unsigned i = 0; i < array_length(known); i++) {
        const struct element *row = element_find(known[i].enterprise, known[i].id);

        ok(row != NULL && strcmp(row->name, known[i].name) == 0 && row->type == known[i].type &&
               row->semantics == known[i].semantics && strcmp(row->units, known[i].units) == 0 &&
               row->enterprise == known[i].enterprise && row->id == known[i].id,
           "%u:%u is %s", known[i].enterprise, known[i].id, known[i].name);
    }
    ok(element_find(0, 0) == NULL && element_find(0, 32767) == NULL && element_find(1, 1) == NULL &&
           element_find(UINT32_MAX, UINT32_MAX) == NULL,
       "what is not assigned is not known");
    ok(element_find(29305, 0) == NULL && element_find(29305, 1023) == NULL && element_find(29305, 65535) == NULL &&
           element_find(29305, UINT32_MAX) == NULL,
       "nor is its reverse");
    ok(element_find(29305, 1) == element_find(29305, 1), "a reverse element is made once");
    ok(element_find(0, 57472 + 80) == element_find(35632, 80) && element_find(35632, 80) != NULL,
       "ntop's plain numbers of NetFlow v9");
}

static void check_names(void)
{
    ok(element_by_name("INGRESSVRFID") == element_find(0, 234), "upper and lower case are alike");
    ok(element_by_name("reverseoctetdeltacount") == element_find(29305, 1), "reverse elements have names");
    ok(element_by_name("29305:reverseOctetDeltaCount") == element_find(29305, 1), "with their number, too");
    ok(element_by_name("reverseNothing") == NULL && element_by_name("") == NULL && element_by_name(":") == NULL &&
           element_by_name("9:") == NULL && element_by_name("9:octetDeltaCount") == NULL &&
           element_by_name("99999999999:x") == NULL && element_by_name("9x:applicationCategoryName") == NULL,
       "what is no name leads nowhere");
    ok(element_by_name("9:applicationCategoryName") == element_find(9, 12232), "an enterprise may stand before a name");
    is_text(element_nearest("ingresvrfid"), "ingressVRFID", "the nearest name");
    ok(element_nearest("xxxxxxxxxxxxxxxxxxxxxxxxxxxx") == NULL, "nonsense is near nothing");
}

int main(void)
{
    plan_none();
    check_table();
    check_known();
    check_names();
    return done_testing();
}
