/* SPDX-License-Identifier: BSD-2-Clause */
/* Each type of value: what it takes, what it refuses, and that what is written is read back the same. */
#include "config/value.h"

#include "lib/tap.h"

#include <stdlib.h>

static char *written(const struct key *key, const void *value)
{
    static char text[256];
    FILE *out = fmemopen(text, sizeof(text), "w");

    text[0] = '\0';
    value_write(key, value, out);
    fclose(out);
    return text;
}

static void takes(const char *name, const char *text, const char *back)
{
    const struct key *key = key_find(name);
    union value value;
    struct error error = {""};

    if (!ok(key != NULL, "%s exists", name))
        return;
    memset(&value, 0, sizeof(value));
    if (ok(value_parse(key, text, &value, &error) == 0, "%s takes '%s' %s", name, text, error.text))
        is_text(written(key, &value), back, "%s writes '%s'", name, text);
}

static void refuses(const char *name, const char *text, const char *part)
{
    const struct key *key = key_find(name);
    union value value, before;
    struct error error = {""};

    memset(&value, 0x55, sizeof(value));
    before = value;
    ok(value_parse(key, text, &value, &error) < 0 && strstr(error.text, part) != NULL, "%s refuses '%s': %s", name,
       text, error.text);
    ok(memcmp(&value, &before, sizeof(value)) == 0, "%s is unchanged after '%s'", name, text);
}

static void numbers(void)
{
    takes("print_max_writers", "99", "99");
    refuses("print_max_writers", "100", "1..99");
    refuses("print_max_writers", "0", "1..99");
    refuses("print_max_writers", "", "1..99");
    refuses("print_max_writers", "ten", "1..99");
    takes("print_refresh_time", "300", "300");
    refuses("print_refresh_time", "10s", "without a unit");
    refuses("print_refresh_time", "5m", "without a unit");
    refuses("print_refresh_time", "-1", "without a unit");
    takes("post_tag", "18446744073709551615", "18446744073709551615");
    refuses("post_tag", "18446744073709551616", "number");
    refuses("post_tag", "0", "number");
    takes("proc_priority", "-20", "-20");
    takes("proc_priority", "19", "19");
    refuses("proc_priority", "-21", "-20..19");
    refuses("proc_priority", "20", "-20..19");
    refuses("proc_priority", "--5", "-20..19");
    takes("files_umask", "022", "022");
    takes("files_umask", "77", "077");
    refuses("files_umask", "001", "octal");
    refuses("files_umask", "089", "octal");
    refuses("files_umask", "1000", "octal");
    takes("sfacctd_port", "65535", "65535");
    refuses("sfacctd_port", "65536", "1..65535");
    refuses("sfacctd_port", "0", "1..65535");
    takes("plugin_pipe_size", "4096", "4096");
    takes("plugin_pipe_size", "4K", "4096");
    takes("table_memory_limit", "2g", "2147483648");
    refuses("plugin_pipe_size", "K", "bytes");
    refuses("plugin_pipe_size", "4KB", "bytes");
    refuses("plugin_pipe_size", "99999999999999999G", "bytes");
    takes("kafka_partition", "-1", "-1");
    refuses("kafka_partition", "-2", "at least -1");
}

static void words(void)
{
    takes("daemonize", "TRUE", "true");
    refuses("daemonize", "yes", "true or false");
    refuses("daemonize", "1", "true or false");
    takes("print_output", "JSON", "json");
    takes("print_output", "event_csv", "event_csv");
    refuses("print_output", "jsn", "did you mean 'json'");
    refuses("print_output", "avro", "not supported yet");
    refuses("print_output", "!avro", "not valid");
    takes("syslog", "daemon", "daemon");
    refuses("syslog", "local9", "did you mean 'local");
    takes("sfacctd_byte_count", "ip", "ip");
    takes("print_output_separator", "\\t", "\\t");
    takes("print_output_separator", "\\s", "\\s");
    takes("print_output_separator", ";", ";");
    refuses("print_output_separator", ";;", "one character");
    refuses("print_output_separator", "", "one character");
}

static void times(void)
{
    union value value;
    struct time_bins bins;

    takes("print_history", "300", "300s");
    takes("print_history", "5m", "5m");
    takes("print_history", "1h", "1h");
    takes("print_history", "1d", "1d");
    takes("print_history", "1w", "1w");
    takes("print_history", "1M", "1M");
    refuses("print_history", "5 m", "time");
    refuses("print_history", "m", "time");
    refuses("print_history", "0m", "time");
    refuses("print_history", "5x", "time");
    refuses("print_history", "4294967296", "time");
    takes("print_history_roundoff", "mhdwM", "mhdwM");
    refuses("print_history_roundoff", "mx", "letters");
    refuses("print_history_roundoff", "", "letters");
    value_parse(key_find("print_history"), "1M", &value, NULL);
    memcpy(&bins, &value, sizeof(bins));
    ok(bins.count == 1 && bins.unit == TIME_UNIT_MONTH, "1M is one month");
}

static void addresses_and_lists(void)
{
    takes("sfacctd_ip", "192.0.2.1", "192.0.2.1");
    takes("sfacctd_ip", "2001:db8::1", "2001:db8::1");
    refuses("sfacctd_ip", "[::1]", "address");
    refuses("sfacctd_ip", "example.org", "address");
    refuses("sfacctd_ip", "192.0.2.1.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.21", "address");
    takes("sfacctd_mcast_groups", "239.1.1.1, ff02::1", "239.1.1.1, ff02::1");
    refuses("sfacctd_mcast_groups", "239.1.1.1, x", "addresses");
    takes("nfprobe_receiver", "[2001:db8::1]:2055", "[2001:db8::1]:2055");
    refuses("nfprobe_receiver", "192.0.2.1", "host:port");
    takes("aggregate", "SRC_host , dst_host,proto", "src_host, dst_host, proto");
    takes("aggregate", "none", "none");
    takes("aggregate", "sum_host, proto", "sum_host, proto");
    takes("aggregate", "sum", "sum_host");
    takes("aggregate", "src_host_coords", "src_host_coords");
    refuses("aggregate", "src_hots", "did you mean 'src_host'");
    takes("sql_passwd", "hidden", "***");
}

int main(void)
{
    plan_none();
    numbers();
    words();
    times();
    addresses_and_lists();
    ok(value_is_default(key_find("pcap_ifindex"), "none"), "the word of a default is one");
    ok(value_is_default(key_find("bgp_daemon_port"), "0179"), "numbers are compared as numbers");
    ok(!value_is_default(key_find("sfacctd_as"), "bgp"), "another value is none");
    return done_testing();
}
