/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a fuzz target over its saved corpus, without a fuzzer: every file of corpus/NAME, NAME being that of the program
 * replay_NAME. Part of `make check`; a crash found once stays a file there for ever.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/tap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define input_max (1024 * 1024)

static bool run_file(const char *path)
{
    uint8_t *bytes = malloc(input_max), *exact;
    FILE *file = fopen(path, "re");
    size_t size;

    if (bytes == NULL || file == NULL) {
        free(bytes);
        return false;
    }
    size = fread(bytes, 1, input_max, file);
    fclose(file);
    exact = malloc(size ? size : 1); /* so that a sanitizer sees the end */
    if (exact != NULL) {
        memcpy(exact, bytes, size);
        LLVMFuzzerTestOneInput(exact, size);
    }
    free(exact);
    free(bytes);
    return exact != NULL;
}

int main(int argc, char **argv)
{
    const char *source = getenv("SRC"), *name = strstr(argv[0], "replay_");
    char folder[4096], path[8192];
    struct dirent *entry;
    DIR *directory;

    (void)argc;
    plan_none();
    snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus/%s", source ? source : ".", name ? name + 7 : "");
    directory = opendir(folder);
    if (!ok(directory != NULL, "the corpus %s is there", folder))
        return done_testing();
    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        ok(run_file(path), "%s", entry->d_name);
    }
    closedir(directory);
    return done_testing();
}
