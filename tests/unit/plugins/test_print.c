/* SPDX-License-Identifier: BSD-2-Clause */
/* links: plugins/print */
/*
 * The print plugin's writer from a table made by hand to the bytes of the files, with everything that can go wrong on
 * the way.
 */
#include "plugins/print/writer.h"

#include "base/log.h"
#include "lib/tap.h"
#include "plugins/common/encode_settings.h"
#include "plugins/common/flush.h"
#include "plugins/common/table.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/test_print.XXXXXX";
static struct layout layout;
static struct settings settings;
static struct plugin_start start;
static struct plugin plugin;
static struct print *print;
static void *writer;
static struct error error;
static uint64_t sequence;

static const char *in(const char *name)
{
    static char paths[16][512];
    static unsigned next;
    char *path = paths[next++ % 16];

    snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

static const char *content(const char *path)
{
    static char texts[2][65536];
    static unsigned next;
    char *text = texts[next++ % 2];
    FILE *file = fopen(path, "r");
    size_t n = file ? fread(text, 1, sizeof(texts[0]) - 1, file) : 0;

    text[n] = '\0';
    if (!file)
        return "(none)";
    fclose(file);
    return text;
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    fputs(text, file);
    fclose(file);
}

static void compile(const char *list, bool history)
{
    struct aggregate aggregate;
    struct layout_options options = {.history = history, .base_time = FIELD_TIMESTAMP_ARRIVAL};

    memset(&aggregate, 0, sizeof(aggregate));
    if (aggregate_parse(&aggregate, list, &error) != 0 || layout_compile(&layout, &aggregate, &options, &error) != 0)
        skip_all(error.text);
}

/*
 * An instance with the settings as they are. The daemon "started" a minute ago, so the test's own older files count
 * as old.
 */
static void open_print(void)
{
    start.settings = &settings;
    start.layout = &layout;
    start.started_ns = time_wall_ns() - 60 * time_second_ns;
    plugin = (struct plugin){.start = &start, .settings = &settings, .layout = &layout};
    error.text[0] = '\0';
    if (!ok(print_instance(&plugin, &error) == 0, "open %s", error.text))
        return;
    print = plugin.state;
    writer = print_sink.writer_new(&plugin, &error);
    plugin.table = table_new(&layout, 0);
}

static void close_print(void)
{
    print_sink.writer_free(writer);
    print_release(print);
    table_free(plugin.table);
}

static void add(uint16_t port, uint64_t tag, int64_t bin, uint64_t packets)
{
    uint8_t _Alignas(8) body[layout_key_max + 8 * layout_values_max] = {0};
    uint8_t *bodies[] = {body};
    const struct layout_slot *slot;

    if ((slot = layout_find(&layout, FIELD_SRC_PORT)))
        memcpy(body + slot->offset, &port, 2);
    if ((slot = layout_find(&layout, FIELD_TAG)))
        store_u64(body + slot->offset, tag);
    if (layout.bin_offset >= 0)
        store_u64(body + layout.bin_offset, (uint64_t)bin);
    store_u64(body + layout.key_bytes, packets);
    store_u64(body + layout.key_bytes + 8, packets * 100);
    table_add(plugin.table, bodies, 1);
}

/* One try as flush does it; `again`: of the same batch. */
static int deliver(int64_t purge_seconds, int64_t bin_start, bool again)
{
    struct batch batch = {.table = plugin.table,
                          .layout = &layout,
                          .purge_seconds = purge_seconds,
                          .bin_start = bin_start,
                          .bin_end = bin_start + 300,
                          .rows = table_rows(plugin.table),
                          .sequence = again ? sequence : ++sequence};
    uint8_t *first;
    uint64_t count;

    if (print_sink.begin(writer, &batch, &error) != 0)
        goto failed;
    for (unsigned segment = 0; (count = table_segment(plugin.table, segment, &first)) > 0; segment++) {
        if (print_sink.rows(writer, first, count, &error) != 0)
            goto failed;
    }
    if (print_sink.commit(writer, &error) != 0)
        goto failed;
    table_clear(plugin.table);
    return 0;
failed:
    print_sink.abort(writer);
    return -1;
}

static void clear_settings(void)
{
    memset(&settings, 0, sizeof(settings));
    snprintf(settings.name, sizeof(settings.name), "p1");
    settings.files_umask = 077;
    settings.print_output = ENCODE_CSV;
    settings.timestamps_utc = true;
    settings.refresh_time = 60;
}

static void age(const char *path)
{
    struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

    utimensat(AT_FDCWD, path, times, 0);
}

static void test_formats(void)
{
    struct stat found;

    compile("src_port", false);
    clear_settings();
    settings.print_output_file = in("new/dir/out.csv");
    open_print();
    add(53, 0, 0, 1);
    add(443, 0, 0, 2);
    ok(deliver(1000, 0, false) == 0, "csv");
    is_text(content(settings.print_output_file), "SRC_PORT,PACKETS,BYTES\n53,1,100\n443,2,200\n", "csv bytes");
    ok(stat(settings.print_output_file, &found) == 0 && (found.st_mode & 0777) == 0600, "mode 0600");
    add(80, 0, 0, 3);
    ok(deliver(1060, 0, false) == 0, "second purge, same name");
    is_text(content(settings.print_output_file), "SRC_PORT,PACKETS,BYTES\n53,1,100\n443,2,200\n80,3,300\n",
            "appended without header");
    ok(deliver(1060, 0, false) == 0, "nothing to write");
    ok(access(in("new/dir/.out.csv.part"), F_OK) != 0, "no temporary file is left");
    is_text(print_sink.target(writer), settings.print_output_file, "the trigger's file");
    unlink(settings.print_output_file);
    add(80, 0, 0, 3);
    ok(deliver(1060, 0, false) == 0, "after the file was moved away");
    is_text(content(settings.print_output_file), "SRC_PORT,PACKETS,BYTES\n80,3,300\n", "a new one with header");
    close_print();

    settings.print_output = ENCODE_JSON;
    settings.print_output_file = in("out.json");
    settings.markers = true;
    open_print();
    add(53, 0, 0, 1);
    ok(deliver(time_wall_ns() / time_second_ns, 0, false) == 0, "json");
    char want[512];
    snprintf(want, sizeof(want),
             "{\"event_type\": \"purge_init\", \"writer_id\": \"p1/%ld\"}\n"
             "{\"event_type\": \"purge\", \"port_src\": 53, \"packets\": 1, \"bytes\": 100}\n"
             "{\"event_type\": \"purge_close\", \"writer_id\": \"p1/%ld\", \"purged_entries\": 1, "
             "\"total_entries\": 1, \"duration\": 0}\n",
             (long)getpid(), (long)getpid());
    is_text(content(settings.print_output_file), want, "json bytes with markers");
    close_print();

    settings.print_output = ENCODE_EVENT_CSV;
    settings.print_output_separator = ';';
    settings.print_output_file = in("out.event");
    settings.print_write_empty_file = true;
    open_print();
    ok(deliver(1000, 0, false) == 0, "an empty file that is wanted");
    snprintf(want, sizeof(want), "--START (%ld)--\nSRC_PORT\n--END (%ld)--\n", (long)getpid(), (long)getpid());
    is_text(content(settings.print_output_file), want, "header and markers");
    close_print();

    clear_settings();
    settings.print_output = ENCODE_FORMATTED;
    settings.print_output_file = in("out.txt");
    open_print();
    add(53, 0, 0, 1);
    ok(deliver(1000, 0, false) == 0, "formatted");
    ok(strncmp(content(settings.print_output_file), "SRC_PORT  ", 10) == 0, "formatted header");
    close_print();
}

static void test_old_files(void)
{
    compile("src_port", false);
    clear_settings();
    settings.print_output_file = in("old.csv");
    put(settings.print_output_file, "of an earlier run\n");
    age(settings.print_output_file);
    open_print();
    add(1, 0, 0, 1);
    ok(deliver(1000, 0, false) == 0, "over an old file");
    is_text(content(settings.print_output_file), "SRC_PORT,PACKETS,BYTES\n1,1,100\n", "an earlier run's is replaced");
    age(settings.print_output_file);
    add(2, 0, 0, 1);
    ok(deliver(1000, 0, false) == 0, "again, with a clock that went wild");
    is_text(content(settings.print_output_file), "SRC_PORT,PACKETS,BYTES\n1,1,100\n2,1,100\n", "ours is not truncated");
    close_print();

    settings.print_output_file_append = true;
    settings.print_output_file = in("append.csv");
    put(settings.print_output_file, "of an earlier run\n");
    age(settings.print_output_file);
    open_print();
    add(1, 0, 0, 1);
    ok(deliver(1000, 0, false) == 0, "append");
    is_text(content(settings.print_output_file), "of an earlier run\n1,1,100\n",
            "no header into a file that was there");
    close_print();

    settings.print_output_file = in("planted.csv");
    ok(symlink(in("victim"), settings.print_output_file) == 0, "a link planted");
    open_print();
    add(1, 0, 0, 1);
    ok(deliver(1000, 0, false) == -1, "refused: %s", error.text);
    ok(access(in("victim"), F_OK) != 0, "victim untouched");
    close_print();
}

/* What a process leaves that is killed while it appends. */
static void test_half_rows(void)
{
    char big[10000], want[10100];

    compile("src_port", false);
    clear_settings();
    settings.print_output_file = in("half.csv");
    put(settings.print_output_file, "SRC_PORT,PACKETS,BYTES\n1,1,100\n2,1");
    open_print();
    add(3, 0, 0, 1);
    ok(deliver(1000, 0, false) == 0, "after half a row");
    is_text(content(settings.print_output_file), "SRC_PORT,PACKETS,BYTES\n1,1,100\n3,1,100\n", "it is cut off");
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    big[100] = '\n';
    put(settings.print_output_file, big);
    add(3, 0, 0, 1);
    ok(deliver(1000, 0, false) == 0, "a long one");
    snprintf(want, sizeof(want), "%.101s3,1,100\n", big);
    is_text(content(settings.print_output_file), want, "is cut off");
    put(settings.print_output_file, "SRC_PO");
    add(3, 0, 0, 1);
    ok(deliver(1000, 0, false) == 0, "after half a header");
    is_text(content(settings.print_output_file), "SRC_PORT,PACKETS,BYTES\n3,1,100\n", "the header is whole");
    close_print();

    settings.print_output_file_append = true;
    put(settings.print_output_file, "somebody's, without a newline: ");
    age(settings.print_output_file);
    open_print();
    add(3, 0, 0, 1);
    ok(deliver(1000, 0, false) == 0, "append to a file of before");
    is_text(content(settings.print_output_file), "somebody's, without a newline: 3,1,100\n", "it is left as it was");
    close_print();
}

static void test_names(void)
{
    char target[512];
    ssize_t length;

    compile("src_port, tag", true);
    clear_settings();
    settings.history = (struct time_bins){.count = 5, .unit = TIME_UNIT_MINUTE, .utc = true};
    settings.print_output_file = in("n/$tag/%H%M.csv");
    settings.print_latest_file = in("latest-$tag");
    open_print();
    for (unsigned i = 0; i < 300; i++) /* many more files than are kept open */
        add((uint16_t)(i / 100), i % 100, 300 + 300 * (i / 100), i);
    ok(deliver(1300, 900, false) == 0, "300 rows to 300 files (%s)", error.text);
    is_text(content(in("n/7/0005.csv")), "TAG,SRC_PORT,PACKETS,BYTES\n7,0,7,700\n", "tag 7, bin 00:05");
    is_text(content(in("n/99/0015.csv")), "TAG,SRC_PORT,PACKETS,BYTES\n99,2,299,29900\n", "tag 99, bin 00:15");
    length = readlink(in("latest-7"), target, sizeof(target) - 1);
    target[length > 0 ? length : 0] = '\0';
    is_text(target, in("n/7/0015.csv"), "latest of tag 7 is its newest bin");
    add(9, 7, 300, 1);
    add(9, 8, 300, 1);
    add(10, 7, 300, 1);
    ok(deliver(1301, 300, false) == 0, "late rows");
    is_text(content(in("n/7/0005.csv")), "TAG,SRC_PORT,PACKETS,BYTES\n7,0,7,700\n7,9,1,100\n7,10,1,100\n",
            "go to the file of their bin");
    is_text(content(in("n/8/0005.csv")), "TAG,SRC_PORT,PACKETS,BYTES\n8,0,8,800\n8,9,1,100\n", "each to its own");
    length = readlink(in("latest-7"), target, sizeof(target) - 1);
    target[length > 0 ? length : 0] = '\0';
    is_text(target, in("n/7/0015.csv"), "latest is not turned back");
    close_print();

    settings.print_output_file = in("same-$tag-%Y.csv");
    settings.print_latest_file = NULL;
    open_print();
    add(1, 1, 300, 1);
    add(2, 1, 600, 1);
    add(3, 1, 300, 1);
    ok(deliver(1300, 600, false) == 0, "two bins, one name");
    is_text(content(in("same-1-1970.csv")), "TAG,SRC_PORT,PACKETS,BYTES\n1,1,1,100\n1,3,1,100\n1,2,1,100\n",
            "in one file with one header");
    close_print();
}

/* A device that is full after some bytes: a small file size limit stands for it. */
static void test_full_limit(void)
{
    struct rlimit limit = {.rlim_cur = 300000, .rlim_max = RLIM_INFINITY};

    compile("src_port, tag", false);
    clear_settings();
    settings.print_output_file = in("full-$tag.csv");
    open_print();
    add(1, 1, 0, 1);
    add(1, 2, 0, 1);
    ok(deliver(1000, 0, false) == 0, "first purge fits");
    for (unsigned i = 0; i < 60000; i++)
        add((uint16_t)i, i < 10 ? 1 : i < 59990 ? 2 : 3, 0, 1000000);
    setrlimit(RLIMIT_FSIZE, &limit);
    ok(deliver(1060, 0, false) == -1, "the second does not: %s", error.text);
    is_text(content(in("full-1.csv")), "TAG,SRC_PORT,PACKETS,BYTES\n1,1,1,100\n", "the file that did fit is cut back");
    is_text(content(in("full-2.csv")), "TAG,SRC_PORT,PACKETS,BYTES\n2,1,1,100\n", "the file that did not is cut back");
    ok(access(in("full-3.csv"), F_OK) != 0 && access(in(".full-3.csv.part"), F_OK) != 0, "nothing of the third");
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    ok(deliver(1060, 0, true) == 0, "there is room again: the same batch");
    struct stat found;
    stat(in("full-2.csv"), &found);
    uint64_t want = strlen("TAG,SRC_PORT,PACKETS,BYTES\n2,1,1,100\n");
    for (unsigned i = 10; i < 59990; i++)
        want += (uint64_t)snprintf(NULL, 0, "2,%u,1000000,100000000\n", i);
    is_u64((uint64_t)found.st_size, want, "every row once");
    ok(strncmp(content(in("full-3.csv")), "TAG,", 4) == 0, "the third has its header");
    close_print();
}

static void test_full_disk(void)
{
    const char *mounted = in("disk");

    mkdir(mounted, 0700);
    if (geteuid() != 0 || mount("none", mounted, "tmpfs", 0, "size=64k") != 0) {
        ok(true, "full disk # SKIP needs root and mount");
        return;
    }
    compile("src_port", false);
    clear_settings();
    settings.print_output_file = in("disk/out.csv");
    open_print();
    for (unsigned i = 0; i < 20000; i++)
        add((uint16_t)i, 0, 0, 1);
    ok(deliver(1000, 0, false) == -1, "a full disk: %s", error.text);
    ok(access(settings.print_output_file, F_OK) != 0 && access(in("disk/.out.csv.part"), F_OK) != 0,
       "no torn file, no left-over");
    ok(mount("none", mounted, "tmpfs", MS_REMOUNT, "size=4m") == 0, "room is made");
    ok(deliver(1000, 0, true) == 0, "the batch goes out whole");
    struct stat found;
    ok(stat(settings.print_output_file, &found) == 0 && found.st_size > 200000, "and is there");
    close_print();
    umount(mounted);
}

static void *read_fifo(void *path)
{
    static char text[1 << 20];
    size_t used = 0;
    ssize_t n;
    int fd = open(path, O_RDONLY);

    while ((n = read(fd, text + used, sizeof(text) - 1 - used)) > 0)
        used += (size_t)n;
    close(fd);
    text[used] = '\0';
    return text;
}

static void test_streams(void)
{
    pthread_t reader;
    void *text;
    int saved, file;

    compile("src_port", false);
    clear_settings();
    settings.print_output_file = in("fifo");
    mkfifo(settings.print_output_file, 0600);
    open_print();
    add(1, 0, 0, 1);
    ok(deliver(1000, 0, false) == -1, "a FIFO without reader: %s", error.text);
    pthread_create(&reader, NULL, read_fifo, (void *)(uintptr_t)settings.print_output_file);
    for (int i = 0; i < 200 && deliver(1000, 0, true) != 0; i++)
        usleep(10000);
    pthread_join(reader, &text);
    is_text(text, "SRC_PORT,PACKETS,BYTES\n1,1,100\n", "a FIFO with reader");
    close_print();

    /* Standard output is a file with a size limit: half a batch gets out, the second try writes the rest. */
    settings.print_output_file = NULL;
    settings.print_output_lock_file = in("lock");
    open_print();
    fflush(stdout);
    saved = dup(STDOUT_FILENO);
    file = open(in("stdout"), O_RDWR | O_CREAT, 0600);
    dup2(file, STDOUT_FILENO);
    for (unsigned i = 0; i < 3000; i++)
        add((uint16_t)i, 0, 0, 1);
    struct rlimit limit = {.rlim_cur = 1001, .rlim_max = RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &limit);
    int first = deliver(1000, 0, false);
    void *mine = writer, *other = print_sink.writer_new(&plugin, &error);
    struct table *kept = plugin.table;
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    writer = other;
    plugin.table = table_new(&layout, 0);
    add(7, 0, 0, 7);
    int between = deliver(1060, 0, false);
    struct table *later = plugin.table;
    writer = mine;
    plugin.table = kept;
    sequence--;
    int second = deliver(1000, 0, true);
    sequence++;
    writer = other;
    plugin.table = later;
    int third = deliver(1060, 0, true);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(file);
    ok(first == -1, "half of a batch on standard output");
    ok(between == -1, "no other batch gets in between");
    ok(second == 0 && third == 0, "the rest, and then the other");
    static char want[65536];
    size_t used = (size_t)snprintf(want, sizeof(want), "SRC_PORT,PACKETS,BYTES\n");
    for (unsigned i = 0; i < 3000; i++)
        used += (size_t)snprintf(want + used, sizeof(want) - used, "%u,1,100\n", i);
    snprintf(want + used, sizeof(want) - used, "7,7,700\n");
    ok(strcmp(content(in("stdout")), want) == 0, "every row once, one header");
    writer = mine;
    print_sink.writer_free(other);
    table_free(kept);
    close_print();
}

static void test_speed(void)
{
    compile("src_port, tag", false);
    clear_settings();
    settings.print_output_file = "/dev/null";
    open_print();
    for (unsigned i = 0; i < 1000000; i++)
        add((uint16_t)i, i, 0, i);
    int64_t begun = time_monotonic_ns();
    ok(deliver(1000, 0, false) == 0, "a million rows");
    printf("# %.1f million rows a second\n", 1e9 / (double)(time_monotonic_ns() - begun));
    close_print();
}

int main(void)
{
    plan_none();
    if (!mkdtemp(directory))
        skip_all("no temporary directory");
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    test_formats();
    test_old_files();
    test_half_rows();
    test_names();
    test_full_limit();
    test_full_disk();
    test_streams();
    test_speed();
    char command[600];
    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    if (system(command) != 0)
        fprintf(stderr, "# could not remove %s\n", directory);
    return done_testing();
}
