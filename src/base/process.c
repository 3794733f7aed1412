/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/file.h"

extern char **environ;

static char *title;
static size_t title_room;
static int detach_pipe = -1;

void process_title_init(int argc, char **argv)
{
    char *end = argv[0];
    size_t count = 0;
    char **copy;

    for (int i = 0; i < argc; i++)
        if (argv[i] == end)
            end += strlen(argv[i]) + 1;
    while (environ[count] != NULL)
        count++;
    copy = calloc(count + 1, sizeof(*copy));
    if (copy == NULL)
        return; /* no titles then */
    for (size_t i = 0; i < count; i++) {
        if (environ[i] == end)
            end += strlen(environ[i]) + 1;
        copy[i] = strdup(environ[i]);
        if (copy[i] == NULL)
            return;
    }
    environ = copy;
    title = argv[0];
    title_room = (size_t)(end - title);
}

void process_title(const char *format, ...)
{
    char text[256], name[16];
    va_list args;
    size_t length;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    snprintf(name, sizeof(name), "%.15s", text); /* the kernel keeps 15 */
    prctl(PR_SET_NAME, name);
    if (title == NULL || title_room < 2)
        return;
    length = strnlen(text, title_room - 1);
    memset(title, 0, title_room);
    memcpy(title, text, length);
}

int process_detach(struct error *error)
{
    int ends[2], status = 1;
    ssize_t got;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(error, errno, "cannot make a pipe");
    pid = fork();
    if (pid < 0)
        return error_errno(error, errno, "cannot go to the background");
    if (pid > 0) {
        close(ends[1]);
        do {
            got = read(ends[0], &status, sizeof(status));
        } while (got < 0 && errno == EINTR);
        _exit(got == sizeof(status) ? status : 1);
    }
    close(ends[0]);
    detach_pipe = ends[1];
    if (setsid() < 0)
        return error_errno(error, errno, "cannot start a session of its own");
    return 0;
}

void process_leave_terminal(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0)
        return;
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    close(null);
}

void process_detached(int status)
{
    if (detach_pipe < 0)
        return;
    process_leave_terminal();
    while (write(detach_pipe, &status, sizeof(status)) < 0 && errno == EINTR)
        ;
    close(detach_pipe);
    detach_pipe = -1;
}

int process_pidfile(const char *path, struct error *error)
{
    static const struct file_owner owner = {.directory_mode = 0755, .uid = (uid_t)-1, .gid = (gid_t)-1};
    char text[24];
    int fd, length;

    if (file_make_parents(path, &owner, error) < 0)
        return -1;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return error_errno(error, errno, "cannot open the pid file '%s'", path);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        close(fd);
        return error_set(error, "the pid file '%s' is held by a running daemon", path);
    }
    length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) < 0 || write(fd, text, (size_t)length) != length) {
        error_errno(error, errno, "cannot write the pid file '%s'", path);
        close(fd);
        return -1;
    }
    return fd;
}

void process_report(int control_fd, char what, const char *phrase)
{
    size_t length = strnlen(phrase, sizeof(((struct error *)0)->text));
    struct iovec parts[2] = {{&what, 1}, {(void *)(uintptr_t)phrase, length}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

    if (sendmsg(control_fd, &message, MSG_NOSIGNAL) < 0)
        return; /* whoever is told is gone */
}

void process_pidfile_remove(const char *path, int fd)
{
    unlink(path);
    close(fd);
}
