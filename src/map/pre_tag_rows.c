/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the lines of a tagging map to its rows. Where pmacct drops a line that it cannot read and goes on, the whole
 * file is refused here: a map that lacks a row tags by another one, and nothing would show it.
 */
#include "map/pre_tag_rows.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rows.h"
#include "map/large.h"

#define keys_expected "set_tag, set_tag2, set_label, set_tos, label, jeq, stack or something to ask of a record"

/* What only actions have; the match keys are in their own table. */
enum action_key { ACTION_TAG, ACTION_TAG2, ACTION_LABEL, ACTION_TOS, ACTION_NAME, ACTION_JEQ, ACTION_STACK,
                  ACTION_RETURN, ACTION_COUNT };

struct line {
    struct pre_tag_action action;
    const char *name, *jeq; /* borrowed from the text of the line */
    uint32_t seen_actions;  /* bits of enum action_key */
    uint64_t seen_keys;     /* of the match keys, by the first row with their name */
    struct rules_condition conditions[rules_conditions_max];
    unsigned condition_count;
};

struct reading {
    struct pre_tag_rows *rows;
    struct rows_reader reader;
    enum daemon_mask daemon;
    struct jumps *jumps;
    unsigned long *lines; /* of the file, by row */
    uint32_t line_room;
    uint64_t unknown; /* match keys that records of this daemon never tell, by their places in the table */
    unsigned long line_of_two, line_of_return, line_of_mpls, line_of_exporter;
};

/* The keys of a line are bits of a word: seen_keys. */
#define key_max 64u

static const struct rows_kind kind = {"tagging map", 256u << 20, 16384};

/* -- actions -- */

static int read_tag(struct line *line, char *value, unsigned sets, unsigned grows, uint64_t *tag, const char *key,
                    struct error *error)
{
    size_t length = strlen(value);

    if (length > 2 && strcmp(value + length - 2, "++") == 0) {
        value[length - 2] = '\0';
        line->action.does = (uint8_t)(line->action.does | grows);
    }
    line->action.does = (uint8_t)(line->action.does | sets);
    return rows_number(value, UINT64_MAX, tag)
               ? 0
               : error_set(error, "'%s' is '%.40s', expected a number up to 18446744073709551615, or N++ to count up "
                           "from it", key, value);
}

static int read_set_tag(struct reading *reading, struct line *line, char *value, struct error *error)
{
    (void)reading;
    return read_tag(line, value, PRE_TAG_TAG, PRE_TAG_GROW, &line->action.tag, "set_tag", error);
}

static int read_set_tag2(struct reading *reading, struct line *line, char *value, struct error *error)
{
    (void)reading;
    return read_tag(line, value, PRE_TAG_TAG2, PRE_TAG_GROW2, &line->action.tag2, "set_tag2", error);
}

static int read_set_label(struct reading *reading, struct line *line, char *value, struct error *error)
{
    struct pre_tag_rows *rows = reading->rows;
    size_t length = strlen(value);

    if (length == 0 || length > flow_string_max)
        return error_set(error, "'set_label' has %zu characters, expected 1 to %u", length, flow_string_max);
    if (rows->text_bytes + length > rows->text_room) {
        size_t room = (rows->text_room + length) * 2;
        char *texts = realloc(rows->texts, room);

        if (texts == NULL)
            return error_set(error, "out of memory for the labels of a map");
        rows->texts = texts;
        rows->text_room = room;
    }
    memcpy(rows->texts + rows->text_bytes, value, length);
    line->action.label = (uint32_t)rows->text_bytes;
    line->action.label_bytes = (uint16_t)length;
    line->action.does |= PRE_TAG_LABEL;
    rows->text_bytes += length;
    return 0;
}

static int read_set_tos(struct reading *reading, struct line *line, char *value, struct error *error)
{
    uint64_t tos;

    if ((reading->daemon & (DAEMON_NFACCTD | DAEMON_SFACCTD)) == 0)
        return error_set(error, "'set_tos' is for nfacctd and sfacctd");
    if (!rows_number(value, UINT8_MAX, &tos))
        return error_set(error, "'set_tos' is '%.40s', expected a number up to 255", value);
    line->action.tos = (uint8_t)tos;
    line->action.does |= PRE_TAG_TOS;
    return 0;
}

static int read_name(struct reading *reading, struct line *line, char *value, struct error *error)
{
    (void)reading;
    (void)error;
    line->name = value;
    return 0;
}

static int read_jeq(struct reading *reading, struct line *line, char *value, struct error *error)
{
    (void)reading;
    (void)error;
    line->jeq = value;
    return 0;
}

static int read_stack(struct reading *reading, struct line *line, char *value, struct error *error)
{
    (void)reading;
    if (strcmp(value, "sum") == 0 || strcmp(value, "+") == 0)
        line->action.does |= PRE_TAG_SUM;
    else if (strcmp(value, "or") == 0)
        line->action.does |= PRE_TAG_OR;
    else
        return error_set(error, "'stack' is '%.40s', expected sum or or", value);
    return 0;
}

/* No version of pmacct that is in use does anything with it. */
static int read_return(struct reading *reading, struct line *line, char *value, struct error *error)
{
    (void)line;
    if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
        return error_set(error, "'return' is '%.40s', expected true or false", value);
    if (reading->line_of_return == 0)
        reading->line_of_return = reading->reader.line;
    return 0;
}

static const struct {
    const char *name, *old_name;
    int (*read)(struct reading *reading, struct line *line, char *value, struct error *error);
} actions[ACTION_COUNT] = {
    [ACTION_TAG] = {"set_tag", "id", read_set_tag},
    [ACTION_TAG2] = {"set_tag2", "id2", read_set_tag2},
    [ACTION_LABEL] = {"set_label", NULL, read_set_label},
    [ACTION_TOS] = {"set_tos", NULL, read_set_tos},
    [ACTION_NAME] = {"label", NULL, read_name},
    [ACTION_JEQ] = {"jeq", NULL, read_jeq},
    [ACTION_STACK] = {"stack", NULL, read_stack},
    [ACTION_RETURN] = {"return", NULL, read_return},
};

/* -- pairs -- */

static int unknown_key(const char *name, struct error *error)
{
    const char *names[ACTION_COUNT + key_max];
    unsigned count = 0;

    for (unsigned i = 0; i < ACTION_COUNT; i++)
        names[count++] = actions[i].name;
    for (unsigned i = 0; i < pre_tag_key_count && count < array_length(names); i++)
        names[count++] = pre_tag_keys[i].name;
    return rows_key(name, names, count, sizeof(names[0]), keys_expected, error);
}

static int read_condition(struct reading *reading, struct line *line, const char *name, const char *value,
                          struct error *error)
{
    const struct condition_key *key = condition_find(pre_tag_keys, pre_tag_key_count, name, reading->daemon);
    struct rules_condition *condition = &line->conditions[line->condition_count];
    unsigned place;
    int got;

    if (key == NULL)
        return unknown_key(name, error);
    place = (unsigned)(key - pre_tag_keys);
    if ((line->seen_keys >> place & 1) != 0)
        return error_set(error, "'%s' comes twice in this line", name);
    line->seen_keys |= UINT64_C(1) << place;
    got = condition_read(key, value, condition, error);
    if (got < 0)
        return -1;
    line->condition_count += got > 0;
    if (condition->operator == RULES_FILTER)
        reading->rows->uses_filter = true;
    else if (condition->operator == RULES_NEVER && got > 0)
        reading->line_of_exporter = reading->line_of_exporter == 0 ? reading->reader.line : reading->line_of_exporter;
    else if (got > 0 && !subject_is_known(key->subject, reading->daemon))
        reading->unknown |= UINT64_C(1) << place;
    if (strncmp(value, "flow-mpls", 9) == 0 && reading->line_of_mpls == 0 && key->form == CONDITION_SORT)
        reading->line_of_mpls = reading->reader.line;
    return 0;
}

static int read_pair(struct reading *reading, struct line *line, char *word, struct error *error)
{
    char *value;

    if (rows_pair(word, &value, error) < 0)
        return -1;
    for (unsigned i = 0; i < ACTION_COUNT; i++) {
        if (strcmp(actions[i].name, word) != 0 &&
            (actions[i].old_name == NULL || strcmp(actions[i].old_name, word) != 0))
            continue;
        if ((line->seen_actions >> i & 1) != 0)
            return error_set(error, "'%s' comes twice in this line", actions[i].name);
        line->seen_actions |= 1u << i;
        return actions[i].read(reading, line, value, error);
    }
    return read_condition(reading, line, word, value, error);
}

/* -- rows -- */

static int make_room(struct reading *reading, uint32_t count, struct error *error)
{
    struct pre_tag_rows *rows = reading->rows;

    if (count == rows->action_room) {
        uint32_t room = count == 0 ? 64 : count * 2;
        struct pre_tag_action *grown = realloc(rows->actions, room * sizeof(*grown));
        unsigned long *lines = realloc(reading->lines, room * sizeof(*lines));

        if (grown != NULL)
            rows->actions = grown;
        if (lines != NULL)
            reading->lines = lines;
        if (grown == NULL || lines == NULL)
            return error_set(error, "out of memory for the rows of a map");
        rows->action_room = room;
    }
    return 0;
}

/* The conditions of a line that is not used. */
static int drop_line(struct line *line)
{
    for (unsigned i = 0; i < line->condition_count; i++)
        flow_filter_free(line->conditions[i].filter);
    return -1;
}

static int add_row(struct reading *reading, struct line *line, struct error *error)
{
    struct pre_tag_rows *rows = reading->rows;
    uint32_t number = rules_count(rows->rules);
    unsigned sets = line->action.does & (PRE_TAG_TAG | PRE_TAG_TAG2 | PRE_TAG_LABEL);

    if (sets == (PRE_TAG_TAG | PRE_TAG_TAG2 | PRE_TAG_LABEL)) {
        error_set(error, "'set_tag', 'set_tag2' and 'set_label' exclude each other; expected a row for each, joined by "
                  "'jeq=next'");
        return drop_line(line);
    }
    if ((sets & (sets - 1)) != 0 && reading->line_of_two == 0)
        reading->line_of_two = reading->reader.line;
    if (make_room(reading, number, error) < 0 || jumps_add(reading->jumps, line->name, line->jeq, error) < 0)
        return drop_line(line);
    rows->actions[number] = line->action;
    reading->lines[number] = reading->reader.line;
    return rules_add(rows->rules, line->action.tag, PRE_TAG_LOOK_UP, line->conditions, line->condition_count,
                     error);
}

static int read_line(struct reading *reading, char *text, struct error *error)
{
    struct line line;
    char *word;
    int got;

    line.action = (struct pre_tag_action){.target = jumps_none};
    line.name = line.jeq = NULL;
    line.seen_actions = line.condition_count = 0;
    line.seen_keys = 0;
    while ((got = rows_word(&text, &word, error)) > 0)
        if (read_pair(reading, &line, word, error) < 0)
            return drop_line(&line);
    if (got < 0)
        return drop_line(&line);
    return add_row(reading, &line, error);
}

/* -- what the operator should know -- */

static void printf_like(2, 3) add_notice(struct pre_tag_rows *rows, const char *format, ...)
{
    size_t length = strlen(rows->notice);
    va_list args;

    if (length > 0 && length + 2 < sizeof(rows->notice)) {
        memcpy(rows->notice + length, "; ", 3);
        length += 2;
    }
    va_start(args, format);
    vsnprintf(rows->notice + length, sizeof(rows->notice) - length, format, args);
    va_end(args);
}

static void write_notices(struct reading *reading, unsigned long line_of_jump)
{
    struct pre_tag_rows *rows = reading->rows;
    char names[200] = "";
    size_t length = 0;

    for (unsigned i = 0; i < pre_tag_key_count; i++)
        if ((reading->unknown >> i & 1) != 0 && length + strlen(pre_tag_keys[i].name) + 3 < sizeof(names))
            length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s", length > 0 ? ", " : "",
                                       pre_tag_keys[i].name);
    if (length > 0)
        add_notice(rows, "no record tells %s here, so nothing equals it", names);
    if (line_of_jump != 0)
        add_notice(rows, "line %lu: no later row has the label of 'jeq', so that it ends there", line_of_jump);
    if (reading->line_of_exporter != 0)
        add_notice(rows, "line %lu: packets have no exporter, rows with 'ip' never fit", reading->line_of_exporter);
    if (reading->line_of_two != 0)
        add_notice(rows, "line %lu: such a row sets both here", reading->line_of_two);
    if (reading->line_of_return != 0)
        add_notice(rows, "line %lu: 'return' has no effect", reading->line_of_return);
    if (reading->line_of_mpls != 0)
        add_notice(rows, "line %lu: flow-mpls-* are flows with MPLS labels only", reading->line_of_mpls);
}

/* -- the whole -- */

/* The phrase gets file and line of a row, or of the file alone. */
static int fail_at(struct reading *reading, uint32_t row, struct error *error)
{
    if (row == rules_none)
        return error_wrap(error, "%.180s", reading->reader.name);
    reading->reader.line = reading->lines[row];
    return rows_fail(&reading->reader, error);
}

/* To where records look them up. */
static int settle_actions(struct pre_tag_rows *rows, uint32_t count)
{
    struct pre_tag_action *settled = large_alloc(count * sizeof(*settled));

    if (settled == NULL)
        return -1;
    if (count > 0)
        memcpy(settled, rows->actions, count * sizeof(*settled));
    free(rows->actions);
    rows->actions = settled;
    return 0;
}

/* After the last row: where they jump to, and the index. */
static int finish(struct reading *reading, struct error *error)
{
    struct pre_tag_rows *rows = reading->rows;
    uint32_t count = rules_count(rows->rules), row = rules_none, unresolved = jumps_none;
    uint32_t *targets = malloc((count + 1) * sizeof(*targets));

    if (targets == NULL || settle_actions(rows, count) < 0) {
        free(targets);
        return error_set(error, "out of memory for the rows of a map");
    }
    if (jumps_resolve(reading->jumps, targets, &unresolved, error) < 0) {
        free(targets);
        return fail_at(reading, unresolved, error);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct pre_tag_action *action = &rows->actions[i];

        action->target = targets[i];
        if (action->does == PRE_TAG_TAG && targets[i] == jumps_none)
            rules_set(rows->rules, i, action->tag, PRE_TAG_SET);
        else if (action->does == PRE_TAG_TAG && action->tag <= UINT32_MAX)
            rules_set(rows->rules, i, (uint64_t)targets[i] << 32 | action->tag, PRE_TAG_STEP);
    }
    free(targets);
    if (rules_compile(rows->rules, &row, error) < 0)
        return fail_at(reading, row, error);
    write_notices(reading, unresolved == jumps_none ? 0 : reading->lines[unresolved]);
    return 0;
}

static int read_rows(struct reading *reading, struct error *error)
{
    int got = 0;
    char *text;

    reading->rows->rules = rules_new();
    reading->jumps = jumps_new();
    if (reading->rows->rules == NULL || reading->jumps == NULL)
        return error_set(error, "out of memory for a tagging map");
    while (got == 0 && (got = rows_line(&reading->reader, &text, error)) > 0)
        got = read_line(reading, text, error) < 0 ? rows_fail(&reading->reader, error) : 0;
    return got < 0 ? -1 : finish(reading, error);
}

static int read_and_free(struct reading *reading, int started, struct error *error)
{
    int result = started < 0 ? -1 : read_rows(reading, error);

    rows_free(&reading->reader);
    jumps_free(reading->jumps);
    free(reading->lines);
    return result;
}

int pre_tag_rows_load(struct pre_tag_rows *rows, const char *path, enum daemon_mask daemon, struct error *error)
{
    struct reading reading = {.rows = rows, .daemon = daemon};

    *rows = (struct pre_tag_rows){.rules = NULL};
    return read_and_free(&reading, rows_load(&reading.reader, path, &kind, error), error);
}

int pre_tag_rows_parse(struct pre_tag_rows *rows, const char *name, const char *text, size_t size,
                       enum daemon_mask daemon, struct error *error)
{
    struct reading reading = {.rows = rows, .daemon = daemon};

    *rows = (struct pre_tag_rows){.rules = NULL};
    return read_and_free(&reading, rows_parse(&reading.reader, name, text, size, &kind, error), error);
}

void pre_tag_rows_free(struct pre_tag_rows *rows)
{
    rules_free(rows->rules);
    free(rows->actions);
    free(rows->texts);
    *rows = (struct pre_tag_rows){.rules = NULL};
}
