/* SPDX-License-Identifier: BSD-2-Clause */
#include "classify/open.h"

#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"

#define module_name "classify_ndpi"

/* DIR/src/classify/ndpi/classify_ndpi.so, DIR being where the running program lies: true in a build tree only. */
static bool in_build_tree(char *path, size_t size)
{
    char program[file_path_max];
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    char *slash;

    if (length <= 0)
        return false;
    program[length] = '\0';
    slash = strrchr(program, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    return snprintf(path, size, "%s/src/classify/ndpi/" module_name ".so", program) < (int)size &&
           access(path, R_OK) == 0;
}

const struct classifier_ops *classifier_module_open(const char *directory, struct error *error)
{
    const struct classifier_ops *ops;
    char path[file_path_max + 64];
    void *module;

    if (directory != NULL || !in_build_tree(path, sizeof(path)))
        snprintf(path, sizeof(path), "%s/" module_name ".so", directory ? directory : MODULE_DIRECTORY);
    module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (module == NULL) {
        error_set(error,
                  "aggregate: 'class' needs the module " module_name
                  ": %.300s; is it built (./configure tells), and is libndpi installed (Debian: libndpi4.2)?",
                  dlerror());
        return NULL;
    }
    ops = dlsym(module, "classifier_module");
    if (ops == NULL || ops->abi != classifier_abi) {
        error_set(error, "'%.300s' is not the module " module_name " of this version", path);
        dlclose(module);
        return NULL;
    }
    return ops;
}
