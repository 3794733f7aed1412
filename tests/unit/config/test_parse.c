/* SPDX-License-Identifier: BSD-2-Clause */
/* The grammar of a line: what separates, what is a comment, and what is wrong. */
#include "config/parse.h"

#include "lib/tap.h"

#include <stdio.h>

static void is_setting(const char *text, const char *key, const char *plugin, const char *value)
{
    char copy[256];
    struct parse_line line;
    struct error error = {""};

    snprintf(copy, sizeof(copy), "%s", text);
    if (!ok(parse_one(copy, &line, &error) == PARSE_SETTING, "'%s' is a setting", text))
        return;
    is_text(line.key, key, "key of '%s'", text);
    is_text(line.plugin == NULL ? "-" : line.plugin, plugin == NULL ? "-" : plugin, "plugin of '%s'", text);
    is_text(line.value, value, "value of '%s'", text);
}

static void is_wrong(const char *text, const char *part)
{
    char copy[256];
    struct parse_line line;
    struct error error = {""};

    snprintf(copy, sizeof(copy), "%s", text);
    ok(parse_one(copy, &line, &error) == PARSE_WRONG && strstr(error.text, part) != NULL, "'%s' is wrong: %s", text,
       error.text);
}

static void is_nothing(const char *text)
{
    char copy[256];
    struct parse_line line;
    struct error error;

    snprintf(copy, sizeof(copy), "%s", text);
    ok(parse_one(copy, &line, &error) == PARSE_NOTHING, "'%s' is nothing", text);
}

int main(void)
{
    plan_none();
    is_setting("plugins: print", "plugins", NULL, "print");
    is_setting("  Daemonize :\tTRUE  \r", "daemonize", NULL, "TRUE");
    is_setting("aggregate[in]: dst_host", "aggregate", "in", "dst_host");
    is_setting("aggregate [In Out] : dst_host", "aggregate", "In Out", "dst_host");
    is_setting("aggregate[a:b]: dst_host", "aggregate", "a:b", "dst_host");
    is_setting("nfprobe_timeouts: tcp=60:udp=30", "nfprobe_timeouts", NULL, "tcp=60:udp=30");
    is_setting("kafka_avro_schema_registry: http://h:8081", "kafka_avro_schema_registry", NULL, "http://h:8081");
    is_setting("sfacctd_ip: [::1]", "sfacctd_ip", NULL, "[::1]");
    is_setting("logfile: /var/log/x ! no comment", "logfile", NULL, "/var/log/x ! no comment");
    is_setting("syslog_ident: \"quoted\"", "syslog_ident", NULL, "\"quoted\"");
    is_setting("logfile:", "logfile", NULL, "");
    is_setting("print history: 5m", "printhistory", NULL, "5m");
    is_nothing("");
    is_nothing(" \t\r");
    is_nothing("! plugins: print");
    is_nothing("   # plugins: print");
    is_wrong("daemonize true", "missing ':'");
    is_wrong("aggregate[in dst_host", "never closed");
    is_wrong("aggregate[in: dst_host", "never closed");
    is_wrong("aggregate]in[: dst_host", "']' without '['");
    is_wrong("aggregate[in]]: dst_host", "']' without '['");
    is_wrong("aggregate[[in]]: dst_host", "nested");
    is_wrong("aggregate[in][out]: dst_host", "second '['");
    is_wrong("aggregate[in]x: dst_host", "after ']'");
    is_wrong("aggregate[]: dst_host", "no plugin name");
    is_wrong(": value", "no key");
    is_wrong("[in]: value", "no key");
    return done_testing();
}
