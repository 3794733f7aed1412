/* SPDX-License-Identifier: BSD-2-Clause */
#include "dissect/open.h"

#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"

/* DIR/src/dissect/modules/dissect_NAME.so, DIR being where the running program lies: true in a build tree only. */
static bool in_build_tree(const char *name, char *path, size_t size)
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
    return snprintf(path, size, "%s/src/dissect/modules/dissect_%s.so", program, name) < (int)size &&
           access(path, R_OK) == 0;
}

/* What the contract of dissector.h asks for, so that nothing has to be asked again for each packet. */
static const char *wrong_with(const struct dissector_ops *ops)
{
    if (ops->name == NULL || ops->name[0] == '\0' ||
        strspn(ops->name, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(ops->name) || strlen(ops->name) > 32)
        return "its name is not of up to 32 small letters, digits and _";
    if (ops->tcp_ports == NULL && ops->udp_ports == NULL)
        return "it has no ports";
    if (ops->tcp_ports != NULL && (ops->tcp_data == NULL || ops->tcp_gap == NULL || ops->tcp_fin == NULL))
        return "it has TCP ports, but not all of tcp_data, tcp_gap and tcp_fin";
    if (ops->udp_ports != NULL && ops->udp_data == NULL)
        return "it has UDP ports, but no udp_data";
    if (ops->expire == NULL || ops->idle_ns <= 0)
        return "it has no expire, or no idle time";
    return NULL;
}

const struct dissector_ops *open_dissector(const char *module, struct error *error)
{
    const struct dissector_ops *ops;
    const char *wrong;
    char path[file_path_max + 64];
    void *object;

    if (strchr(module, '/') != NULL)
        snprintf(path, sizeof(path), "%s", module);
    else if (!in_build_tree(module, path, sizeof(path)))
        snprintf(path, sizeof(path), "%s/dissect_%s.so", MODULE_DIRECTORY, module);
    object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (object == NULL) {
        error_set(error, "cannot load the dissector '%.100s': %.300s", module, dlerror());
        return NULL;
    }
    ops = dlsym(object, "dissector_module");
    if (ops == NULL || ops->abi != dissector_abi) {
        error_set(error, "'%.300s' is not a dissector for this version", path);
        dlclose(object);
        return NULL;
    }
    wrong = wrong_with(ops);
    if (wrong != NULL) {
        error_set(error, "cannot use the dissector '%.300s': %s", path, wrong);
        dlclose(object);
        return NULL;
    }
    return ops;
}
