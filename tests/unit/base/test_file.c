/* SPDX-License-Identifier: BSD-2-Clause */
/* base/file: temporary names and renames, appending, links, modes, and what must be refused. */
#include "base/file.h"

#include "lib/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/test_file.XXXXXX";
static struct file_owner owner;
static struct error error;

static const char *in(const char *name)
{
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

static const char *content(const char *path)
{
    static char text[4096];
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (fd >= 0)
        close(fd);
    text[n < 0 ? 0 : n] = '\0';
    return n < 0 ? "(none)" : text;
}

static unsigned mode_of(const char *path)
{
    struct stat found;

    return lstat(path, &found) == 0 ? found.st_mode & 07777 : 0;
}

static void test_owner(void)
{
    struct file_owner other;

    ok(file_owner_set(&other, 077, NULL, NULL, &error) == 0, "owner without names");
    is_u64(other.file_mode, 0600, "umask 077 gives 0600");
    is_u64(other.directory_mode, 0700, "and 0700 for directories");
    ok(other.uid == (uid_t)-1 && other.gid == (gid_t)-1, "nobody's names leave the owner alone");
    ok(file_owner_set(&other, 022, "root", "0", &error) == 0 && other.uid == 0 && other.gid == 0, "name and number");
    ok(file_owner_set(&other, 022, "no such user", NULL, &error) == -1, "an unknown user is refused");
    is_text(error.text, "no user named 'no such user'", "with a phrase");
    ok(file_owner_set(&other, 022, NULL, "99999999999", &error) == -1, "a number beyond 32 bits is no group");
}

static void test_replace(void)
{
    const char *path = in("a/b/c/file");
    mode_t before = umask(0177);

    ok(file_replace(path, "one\n", 4, &owner, &error) == 0, "a file with its parents (%s)", error.text);
    umask(before);
    is_text(content(path), "one\n", "its bytes");
    is_u64(mode_of(path), 0640, "its mode is ours whatever the umask");
    is_u64(mode_of(in("a/b")), 0750, "directories have theirs");
    ok(file_replace(path, "two\n", 4, &owner, &error) == 0, "replaced");
    is_text(content(path), "two\n", "new bytes");
    ok(access(in("a/b/c/.file.part"), F_OK) != 0, "no temporary file is left");
    ok(file_replace(in("a/b"), "x", 1, &owner, &error) == -1, "a directory is not replaced");
    ok(access(in("a/.b.part"), F_OK) != 0, "and its temporary file is gone");
}

static void test_temporary(void)
{
    char temporary[file_path_max], again[file_path_max];
    const char *path = in("t");

    int fd = file_temporary_open(path, &owner, temporary, &error);
    ok(fd >= 0, "temporary file opened");
    is_text(temporary, in(".t.part"), "its name is hidden and in the same directory");
    ok(file_temporary_open(path, &owner, again, &error) == -1, "one that is in use is refused");
    ok(strstr(error.text, "another process is writing") != NULL, "told so: %s", error.text);
    ok(file_write_all(fd, "left over", 9, NULL) == 0, "written");
    close(fd);
    fd = file_temporary_open(path, &owner, temporary, &error);
    ok(fd >= 0 && lseek(fd, 0, SEEK_END) == 0, "a left-over is taken over, empty");
    close(fd);
    ok(link(temporary, in("second-name")) == 0, "a second name planted");
    ok(file_temporary_open(path, &owner, temporary, &error) == -1, "refused: %s", error.text);
    unlink(temporary);
    ok(symlink(in("victim"), temporary) == 0, "a symbolic link planted");
    ok(file_temporary_open(path, &owner, temporary, &error) == -1, "refused: %s", error.text);
    ok(access(in("victim"), F_OK) != 0, "nothing behind the link was touched");
    unlink(temporary);
    char name[300];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    ok(file_temporary_open(in(name), &owner, temporary, &error) == -1, "a name that is too long is an error");
}

static void test_append(void)
{
    uint64_t written = 0;
    const char *path = in("log");

    int fd = file_append_open(path, &owner, &error);
    ok(fd >= 0 && file_write_all(fd, "abc", 3, &written) == 0, "made and written");
    ok(file_append_open(path, &owner, &error) == -1 && errno == EWOULDBLOCK, "locked against a second writer");
    close(fd);
    fd = file_append_open(path, &owner, &error);
    ok(file_write_all(fd, "def", 3, &written) == 0, "again");
    close(fd);
    is_u64(written, 6, "written bytes add up");
    is_text(content(path), "abcdef", "appended");
    ok(file_cut(path, 3, &error) == 0, "cut back");
    is_text(content(path), "abc", "to its earlier length");
    ok(file_cut(path, 100, &error) == 0, "cutting never makes it longer");
    is_text(content(path), "abc", "as it was");
    ok(symlink(path, in("to-log")) == 0 && file_append_open(in("to-log"), &owner, &error) == -1,
       "a symbolic link is refused: %s", error.text);
    ok(file_append_open(directory, &owner, &error) == -1, "a directory is refused");
}

static void test_look(void)
{
    struct file_facts facts;

    ok(file_look(in("nothing"), &facts, &error) == 0 && facts.kind == FILE_KIND_MISSING, "missing");
    ok(file_look(in("log"), &facts, &error) == 0 && facts.kind == FILE_KIND_REGULAR && facts.size == 3, "regular");
    ok(file_look(in("to-log"), &facts, &error) == 0 && facts.kind == FILE_KIND_OTHER, "a link is not followed");
    ok(mkfifo(in("fifo"), 0600) == 0 && file_look(in("fifo"), &facts, &error) == 0 &&
           facts.kind == FILE_KIND_STREAM,
       "a FIFO is a stream");
    ok(file_stream_open(in("fifo"), &error) == -1, "without reader: %s", error.text);
    int reader = open(in("fifo"), O_RDONLY | O_NONBLOCK);
    int writer = file_stream_open(in("fifo"), &error);
    ok(writer >= 0 && file_write_all(writer, "x", 1, NULL) == 0, "with reader");
    close(reader);
    ok(file_write_all(writer, "x", 1, NULL) == -1 && errno == EPIPE, "reader gone: EPIPE");
    close(writer);
}

static void test_symlink(void)
{
    char target[512];
    ssize_t length;

    ok(file_symlink(in("one"), in("latest"), &error) == 0, "made");
    ok(file_symlink(in("two"), in("latest"), &error) == 0, "replaced");
    length = readlink(in("latest"), target, sizeof(target) - 1);
    target[length > 0 ? length : 0] = '\0';
    is_text(target, in("two"), "points to the second");
    ok(file_symlink(in("one"), in("log"), &error) == -1, "a regular file is not replaced: %s", error.text);
    is_text(content(in("log")), "abc", "and is whole");
    char absolute[file_path_max];
    ok(chdir(directory) == 0 && file_absolute("log", absolute, &error) == 0, "absolute");
    is_text(absolute, in("log"), "of a relative path");
}

static void test_full(void)
{
    struct rlimit limit = {.rlim_cur = 10, .rlim_max = RLIM_INFINITY};
    uint64_t written = 0;

    signal(SIGXFSZ, SIG_IGN);
    int fd = file_append_open(in("full"), &owner, &error);
    setrlimit(RLIMIT_FSIZE, &limit);
    bool failed = file_write_all(fd, "0123456789abcdef", 16, &written) == -1 && errno == EFBIG;
    limit.rlim_cur = RLIM_INFINITY; /* before a word is said: the output may be a file too */
    setrlimit(RLIMIT_FSIZE, &limit);
    ok(failed, "a write that does not fit fails");
    is_u64(written, 10, "what went out is told");
    close(fd);
}

int main(void)
{
    plan_none();
    if (!mkdtemp(directory))
        skip_all("no temporary directory");
    signal(SIGPIPE, SIG_IGN);
    file_owner_set(&owner, 027, NULL, NULL, &error);
    test_owner();
    test_replace();
    test_temporary();
    test_append();
    test_look();
    test_symlink();
    test_full();
    char command[600];
    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    if (system(command) != 0)
        fprintf(stderr, "# could not remove %s\n", directory);
    return done_testing();
}
