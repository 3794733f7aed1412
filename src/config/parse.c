/* SPDX-License-Identifier: BSD-2-Clause */
/* One line of a configuration file, taken apart in place; see parse.h for the grammar. */
#include "config/parse.h"

#include <ctype.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static char *trim(char *text)
{
    size_t length;

    while (is_blank(*text))
        text++;
    length = strlen(text);
    while (length > 0 && is_blank(text[length - 1]))
        length--;
    text[length] = '\0';
    return text;
}

/* Where the colon is, and the brackets if there are any. Brackets hold one level and end the key. */
static int find_parts(char *text, char **open, char **close, char **colon, struct error *error)
{
    *open = *close = *colon = NULL;
    for (char *p = text; *p != '\0'; p++) {
        bool inside = *open != NULL && *close == NULL;

        if (*p == '[') {
            if (*open != NULL)
                return error_set(error, inside ? "syntax error: nested '['" : "syntax error: second '['");
            *open = p;
        } else if (*p == ']') {
            if (!inside)
                return error_set(error, "syntax error: ']' without '['");
            *close = p;
        } else if (*p == ':' && !inside) {
            *colon = p;
            return 0;
        } else if (*close != NULL && !is_blank(*p)) {
            return error_set(error, "syntax error: expected ':' after ']'");
        }
    }
    if (*open != NULL && *close == NULL)
        return error_set(error, "syntax error: '[' is never closed");
    return error_set(error, "syntax error: missing ':'; expected 'key: value' or 'key[plugin]: value'");
}

enum parse_result parse_one(char *text, struct parse_line *line, struct error *error)
{
    char *open, *close, *colon, *to;

    text = trim(text);
    if (*text == '\0' || *text == '!' || *text == '#')
        return PARSE_NOTHING;
    if (find_parts(text, &open, &close, &colon, error) < 0)
        return PARSE_WRONG;
    *colon = '\0';
    line->value = trim(colon + 1);
    line->plugin = NULL;
    if (open != NULL) {
        *open = *close = '\0';
        line->plugin = open + 1;
        if (*trim(open + 1) == '\0') {
            error_set(error, "syntax error: no plugin name in '[]'");
            return PARSE_WRONG;
        }
    }
    to = line->key = text;
    for (const char *from = text; *from != '\0'; from++)
        if (!is_blank(*from))
            *to++ = (char)tolower((unsigned char)*from);
    *to = '\0';
    if (*line->key == '\0') {
        error_set(error, "syntax error: no key before %s", line->plugin == NULL ? "':'" : "'['");
        return PARSE_WRONG;
    }
    return PARSE_SETTING;
}
