/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/module.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* DIR/plugins/TYPE/TYPE.so, DIR being where the running program lies: true in a build tree only. */
static bool in_build_tree(const char *type, char *path, size_t size)
{
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    char *slash;

    if (length <= 0)
        return false;
    program[length] = '\0';
    slash = strrchr(program, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    return snprintf(path, size, "%s/plugins/%s/%s.so", program, type, type) < (int)size && access(path, R_OK) == 0;
}

const struct plugin_descriptor *module_open(const char *type, const char *directory, struct error *error)
{
    const struct plugin_descriptor *descriptor;
    char path[4200];
    void *module;

    if (directory != NULL || !in_build_tree(type, path, sizeof(path)))
        snprintf(path, sizeof(path), "%s/%s.so", directory ? directory : MODULE_DIRECTORY, type);
    module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (module == NULL) {
        error_set(error, "cannot load the plugin '%s': %.300s; is the package with this plugin installed?", type,
                  dlerror());
        return NULL;
    }
    descriptor = dlsym(module, "plugin_descriptor");
    if (descriptor == NULL || strcmp(descriptor->name, type) != 0 || descriptor->abi != plugin_abi) {
        error_set(error, "'%.300s' is not the plugin '%s' of this version", path, type);
        dlclose(module);
        return NULL;
    }
    return descriptor;
}
