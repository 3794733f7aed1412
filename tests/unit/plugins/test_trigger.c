/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/common/trigger: environment, descriptors, time limit, async, and what is refused. */
#include "plugins/common/trigger.h"

#include "base/time.h"
#include "lib/tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char directory[] = "/tmp/test_trigger.XXXXXX";
static struct error error;

static const char *in(const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

static const char *script(const char *name, const char *lines)
{
    const char *path = in(name);
    FILE *file = fopen(path, "w");

    fprintf(file, "#!/bin/sh\n%s\n", lines);
    fclose(file);
    chmod(path, 0700);
    return path;
}

static const char *content(const char *path)
{
    static char text[4096];
    FILE *file = fopen(path, "r");
    size_t n = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

    text[n] = '\0';
    if (file)
        fclose(file);
    return text;
}

int main(void)
{
    struct trigger trigger;
    struct trigger_facts facts = {.refresh_seconds = 60,
                                  .bin_start = 300,
                                  .bin_seconds = 300,
                                  .rows_total = 10,
                                  .rows_delivered = 9,
                                  .elapsed_seconds = 1,
                                  .output_file = "/x y;z"};
    char lines[2048];

    plan_none();
    if (!mkdtemp(directory))
        skip_all("no temporary directory");
    ok(trigger_init(&trigger, NULL, false, &error) == 0 && trigger_run(&trigger, &facts, &error) == 0, "none");
    ok(trigger_init(&trigger, "bin/true", false, &error) == -1, "relative: %s", error.text);
    ok(trigger_init(&trigger, "/bin/true; rm", false, &error) == -1, "no shell: %s", error.text);
    ok(trigger_init(&trigger, "/bin/false", false, &error) == 0, "a program that fails");
    ok(trigger_run(&trigger, &facts, &error) == -1, "fails");
    is_text(error.text, "trigger '/bin/false' ended with status 1", "told");

    int leaked = open("/dev/null", O_RDONLY);
    setenv("SECRET", "canary", 1);
    snprintf(lines, sizeof(lines),
             "echo \"$#/$SQL_REFRESH_TIME/$SQL_HISTORY_BASETIME/$SQL_HISTORY_TIMESLOT/$TOTAL_ELEM_NUMBER/"
             "$EFFECTIVE_ELEM_NUMBER/$ELAPSED_TIME/$OUTPUT_FILE/$SECRET\" > '%s'\n"
             "test -e /proc/self/fd/%d && echo leaked >> '%s'\nexit 0",
             in("out"), leaked, in("out"));
    ok(trigger_init(&trigger, script("a b", lines), false, &error) == 0, "a path with a blank");
    ok(trigger_run(&trigger, &facts, &error) == 0, "ran");
    is_text(content(in("out")), "0/60/300/300/10/9/1//x y;z/\n", "what it is told, and nothing else");
    facts.bin_start = facts.bin_seconds = -1;
    facts.output_file = NULL;
    ok(trigger_run(&trigger, &facts, &error) == 0, "without history");
    is_text(content(in("out")), "0/60///10/9/1//\n", "numbers that there are not");

    trigger_init(&trigger, script("slow", "sleep 60 & sleep 60"), false, &error);
    trigger.limit_seconds = 1;
    int64_t begun = time_monotonic_ns();
    ok(trigger_run(&trigger, &facts, &error) == -1, "%s", error.text);
    ok(time_monotonic_ns() - begun < 3 * time_second_ns, "it was killed");

    trigger_init(&trigger, script("later", "sleep 0.2; exit 3"), true, &error);
    begun = time_monotonic_ns();
    ok(trigger_run(&trigger, &facts, &error) == 0, "async");
    ok(time_monotonic_ns() - begun < time_second_ns / 5, "was not waited for");
    nanosleep(&(struct timespec){.tv_nsec = 600000000}, NULL);
    ok(trigger_run(&trigger, &facts, &error) == -1, "what became of it is told at the next: %s", error.text);
    is_u64(trigger.count, 1, "one runs");
    nanosleep(&(struct timespec){.tv_nsec = 600000000}, NULL);

    trigger_init(&trigger, script("many", "sleep 1"), true, &error);
    for (unsigned i = 0; i < trigger_running_max; i++)
        trigger_run(&trigger, &facts, &error);
    ok(trigger_run(&trigger, &facts, &error) == -1, "bounded: %s", error.text);

    nanosleep(&(struct timespec){.tv_sec = 1, .tv_nsec = 300000000}, NULL); /* none is left behind */

    char command[600];
    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    if (system(command) != 0)
        fprintf(stderr, "# could not remove %s\n", directory);
    return done_testing();
}
