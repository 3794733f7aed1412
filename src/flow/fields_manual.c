/* SPDX-License-Identifier: BSD-2-Clause */
/* Run while building: writes the part of the manual page flowledger-fields(7) that comes from the table of fields. */
#include <stdio.h>

#include "flow/field.h"

static const char *const role_text[] = {
    [FIELD_ROLE_KEY] = "key",       [FIELD_ROLE_SUM] = "summed",        [FIELD_ROLE_OR] = "ORed together",
    [FIELD_ROLE_MIN] = "smallest",  [FIELD_ROLE_MAX] = "largest",       [FIELD_ROLE_LAST] = "last seen",
    [FIELD_ROLE_BIN] = "time bin",  [FIELD_ROLE_PURGE] = "time of the purge",
};

static void print_field(const struct field *field)
{
    static const char *const daemons[] = {"pmacctd", "uacctd", "nfacctd", "sfacctd"};

    printf(".TP\n.B %s\n%s.\nJSON \\fI%s\\fR, ", field->keyword[0] ? field->keyword : field->json, field->help,
           field->json);
    if (field->title != NULL)
        printf("CSV \\fI%s\\fR, ", field->title);
    printf("SQL \\fI%s\\fR; %s.", field->sql, role_text[field->role]);
    if (field->keyword[0] == '\0') {
        printf(" Comes by itself.\n");
        return;
    }
    printf("\nIn");
    for (unsigned i = 0; i < array_length(daemons); i++)
        if (field->daemons & (1u << i))
            printf(" %s%s", daemons[i], field->sources & (1u << i) ? "" : " (no source yet)");
    printf(".\n");
}

int main(void)
{
    for (unsigned section = 0; section < FIELD_SECTION_COUNT; section++) {
        printf(".SS %s\n", field_section_name[section]);
        for (unsigned id = 0; id < FIELD_COUNT; id++)
            if (field_table[id].section == section && field_table[id].type != FIELD_TYPE_CUSTOM)
                print_field(&field_table[id]);
    }
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
