/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing files so that readers see whole ones. The temporary name of DIR/NAME is DIR/.NAME.part, the same at every
 * try, so that a process that dies again and again leaves one file and not thousands; a lock on it tells a left-over
 * from one in use.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define append_lock_wait_ms 1000
#define lock_retry_ms 10

/* A decimal number that fits in 32 bits and is not the reserved (uid_t)-1. False when `text` is none. */
static bool read_id(const char *text, unsigned long *id)
{
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *id = strtoul(text, &end, 10);
    return errno == 0 && *end == '\0' && *id < UINT32_MAX;
}

int file_owner_set(struct file_owner *owner, unsigned umask_bits, const char *user, const char *group,
                   struct error *error)
{
    unsigned long id;

    owner->file_mode = (mode_t)(0666 & ~umask_bits);
    owner->directory_mode = (mode_t)(0777 & ~umask_bits);
    owner->uid = (uid_t)-1;
    owner->gid = (gid_t)-1;
    if (user) {
        if (!read_id(user, &id)) {
            const struct passwd *entry = getpwnam(user);
            if (!entry)
                return error_set(error, "no user named '%s'", user);
            id = entry->pw_uid;
        }
        owner->uid = (uid_t)id;
    }
    if (group) {
        if (!read_id(group, &id)) {
            const struct group *entry = getgrnam(group);
            if (!entry)
                return error_set(error, "no group named '%s'", group);
            id = entry->gr_gid;
        }
        owner->gid = (gid_t)id;
    }
    return 0;
}

/* Keeps errno of the failure that the caller is about to describe. */
static int fail(struct error *error, const char *what, const char *path)
{
    int code = errno;

    error_errno(error, code, "%s '%s'", what, path);
    errno = code;
    return -1;
}

static void close_keeping_errno(int fd)
{
    int code = errno;

    close(fd);
    errno = code;
}

int file_make_parents(const char *path, const struct file_owner *owner, struct error *error)
{
    char part[file_path_max];
    size_t length = strlen(path);

    if (length >= sizeof(part)) {
        errno = ENAMETOOLONG;
        return fail(error, "cannot use the path", "(longer than PATH_MAX)");
    }
    memcpy(part, path, length + 1);
    char *last = strrchr(part, '/');
    if (!last || last == part)
        return 0;
    *last = '\0';
    struct stat found;
    if (stat(part, &found) == 0 && S_ISDIR(found.st_mode))
        return 0;
    for (char *p = part + 1;; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char kept = *p;
        *p = '\0';
        if (mkdir(part, owner->directory_mode) == 0) {
            /* The process' own umask may have taken bits away. */
            if (chmod(part, owner->directory_mode) != 0)
                return fail(error, "cannot set the mode of", part);
            if ((owner->uid != (uid_t)-1 || owner->gid != (gid_t)-1) && chown(part, owner->uid, owner->gid) != 0)
                return fail(error, "cannot set the owner of", part);
        } else if (errno != EEXIST) {
            /* mkdir of an existing directory on a read-only or foreign file system may fail with another errno. */
            int code = errno;
            if (stat(part, &found) != 0 || !S_ISDIR(found.st_mode)) {
                errno = code;
                return fail(error, "cannot make the directory", part);
            }
        }
        if (kept == '\0')
            return 0;
        *p = kept;
    }
}

int file_write_all(int fd, const void *data, size_t size, uint64_t *written)
{
    const uint8_t *p = data;

    while (size > 0) {
        ssize_t n = write(fd, p, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            if (n == 0)
                errno = EIO;
            return -1;
        }
        p += n;
        size -= (size_t)n;
        if (written)
            *written += (uint64_t)n;
    }
    return 0;
}

int file_look(const char *path, struct file_facts *facts, struct error *error)
{
    struct stat found;

    *facts = (struct file_facts){.kind = FILE_KIND_MISSING};
    if (lstat(path, &found) != 0)
        return errno == ENOENT ? 0 : fail(error, "cannot look at", path);
    facts->kind = S_ISREG(found.st_mode)                              ? FILE_KIND_REGULAR
                  : S_ISFIFO(found.st_mode) || S_ISCHR(found.st_mode) ? FILE_KIND_STREAM
                                                                      : FILE_KIND_OTHER;
    facts->size = (uint64_t)found.st_size;
    facts->modified_ns = (int64_t)found.st_mtim.tv_sec * 1000000000 + found.st_mtim.tv_nsec;
    return 0;
}

int file_lock(int fd, int wait_ms)
{
    for (int waited = 0;; waited += lock_retry_ms) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return 0;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return -1;
        if (waited >= wait_ms) {
            errno = EWOULDBLOCK;
            return -1;
        }
        nanosleep(&(struct timespec){.tv_nsec = lock_retry_ms * 1000000L}, NULL);
    }
}

static int set_owner(int fd, const struct file_owner *owner)
{
    if (fchmod(fd, owner->file_mode) != 0)
        return -1;
    if (owner->uid == (uid_t)-1 && owner->gid == (gid_t)-1)
        return 0;
    return fchown(fd, owner->uid, owner->gid);
}

/*
 * Opens for writing, made with our mode and owner when missing, locked. A regular file with one name only, and still
 * the one with this name after the wait for the lock: else EMLINK, EINVAL or EAGAIN.
 */
static int open_locked(const char *path, int flags, int wait_ms, const struct file_owner *owner)
{
    bool made = true;
    struct stat opened, named;

    int fd = open(path, flags | O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0 && errno == EEXIST) {
        made = false;
        fd = open(path, flags | O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    }
    if (fd < 0)
        return -1;
    if (fstat(fd, &opened) != 0)
        goto failed;
    if (!S_ISREG(opened.st_mode)) {
        errno = EINVAL;
        goto failed;
    }
    if (file_lock(fd, wait_ms) != 0)
        goto failed;
    if (lstat(path, &named) != 0 || named.st_ino != opened.st_ino || named.st_dev != opened.st_dev) {
        errno = EAGAIN;
        goto failed;
    }
    if (made && set_owner(fd, owner) != 0) {
        int code = errno;
        unlink(path);
        errno = code;
        goto failed;
    }
    return fd;
failed:
    close_keeping_errno(fd);
    return -1;
}

int file_temporary_open(const char *path, const struct file_owner *owner, char temporary[file_path_max],
                        struct error *error)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    struct stat found;

    int length = snprintf(temporary, file_path_max, "%.*s.%s.part", (int)(name - path), path, name);
    if (length < 0 || length >= file_path_max) {
        errno = ENAMETOOLONG;
        return fail(error, "cannot write", path);
    }
    int fd = open_locked(temporary, 0, 0, owner);
    if (fd < 0)
        return fail(error, errno == EWOULDBLOCK ? "another process is writing" : "cannot open", temporary);
    /* A left-over: not one that another user or a second name (hard link) could get at. */
    if (fstat(fd, &found) != 0 || found.st_nlink != 1) {
        close(fd);
        return error_set(error, "the left-over '%s' has more than one name; remove it", temporary);
    }
    if (ftruncate(fd, 0) != 0 || set_owner(fd, owner) != 0) {
        fail(error, "cannot prepare", temporary);
        close_keeping_errno(fd);
        return -1;
    }
    return fd;
}

int file_temporary_commit(const char *temporary, const char *path, struct error *error)
{
    if (rename(temporary, path) != 0)
        return fail(error, "cannot rename the new file to", path);
    return 0;
}

int file_append_open(const char *path, const struct file_owner *owner, struct error *error)
{
    int fd = open_locked(path, O_APPEND, append_lock_wait_ms, owner);

    if (fd >= 0)
        return fd;
    if (errno == ELOOP)
        return fail(error, "will not write through the symbolic link", path);
    if (errno == EWOULDBLOCK)
        return fail(error, "another process has locked", path);
    return fail(error, "cannot open", path);
}

int file_stream_open(const char *path, struct error *error)
{
    int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return fail(error, errno == ENXIO ? "nobody reads the FIFO" : "cannot open", path);
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0) {
        fail(error, "cannot open", path);
        close_keeping_errno(fd);
        return -1;
    }
    return fd;
}

int file_cut(const char *path, uint64_t size, struct error *error)
{
    struct stat found;
    int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return fail(error, "cannot open", path);
    if (fstat(fd, &found) != 0 || ((uint64_t)found.st_size > size && ftruncate(fd, (off_t)size) != 0)) {
        fail(error, "cannot cut back", path);
        close_keeping_errno(fd);
        return -1;
    }
    close(fd);
    return 0;
}

int file_absolute(const char *path, char absolute[file_path_max], struct error *error)
{
    _Static_assert(file_path_max >= PATH_MAX, "realpath writes up to PATH_MAX bytes");
    return realpath(path, absolute) ? 0 : fail(error, "cannot find", path);
}

int file_symlink(const char *target, const char *link, struct error *error)
{
    char temporary[file_path_max];
    struct stat found;
    const char *slash = strrchr(link, '/');
    const char *name = slash ? slash + 1 : link;

    if (lstat(link, &found) == 0 && !S_ISLNK(found.st_mode))
        return error_set(error, "'%s' exists and is no symbolic link; left alone", link);
    int length =
        snprintf(temporary, sizeof(temporary), "%.*s.%s.%ld.link", (int)(name - link), link, name, (long)getpid());
    if (length < 0 || (size_t)length >= sizeof(temporary)) {
        errno = ENAMETOOLONG;
        return fail(error, "cannot make the link", link);
    }
    if (symlinkat(target, AT_FDCWD, temporary) != 0) {
        /* A left-over of a process that had our number. */
        if (errno != EEXIST || unlink(temporary) != 0 || symlinkat(target, AT_FDCWD, temporary) != 0)
            return fail(error, "cannot make the link", temporary);
    }
    if (renameat(AT_FDCWD, temporary, AT_FDCWD, link) != 0) {
        fail(error, "cannot make the link", link);
        int code = errno;
        unlink(temporary);
        errno = code;
        return -1;
    }
    return 0;
}

int file_replace(const char *path, const void *data, size_t size, const struct file_owner *owner, struct error *error)
{
    char temporary[file_path_max];

    if (file_make_parents(path, owner, error) != 0)
        return -1;
    int fd = file_temporary_open(path, owner, temporary, error);
    if (fd < 0)
        return -1;
    int result = file_write_all(fd, data, size, NULL);
    if (result != 0)
        fail(error, "cannot write", temporary);
    else
        result = file_temporary_commit(temporary, path, error);
    if (result != 0) {
        int code = errno;
        unlink(temporary);
        errno = code;
    }
    close_keeping_errno(fd); /* with it goes the lock, after the file has its name */
    return result;
}
