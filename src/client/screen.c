/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `pmacct top` on a terminal, with ncurses, which no other file includes. The terminal is restored on every way out.
 */
#include "client/top.h"

#include <curses.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/time.h"
#include "client/show.h"

static volatile sig_atomic_t asked_to_end;

static void on_signal(int signal_number)
{
    (void)signal_number;
    asked_to_end = 1;
}

struct screen {
    struct top top;
    uint64_t scroll;
    unsigned first_column;
    bool paused, ended;
    struct error error; /* of the last sample; empty when it is good */
};

static void draw_line(void *context, unsigned number, const char *text)
{
    (void)context;
    if (number == 2)
        attron(A_REVERSE);
    mvaddstr((int)number, 0, text);
    if (number == 2) {
        hline(' ' | A_REVERSE, COLS);
        attroff(A_REVERSE);
    }
}

static void draw(struct screen *screen)
{
    struct top_view view = {.width = COLS > 0 ? (unsigned)COLS : 1,
                            .height = LINES > 1 ? (unsigned)LINES - 1 : 1,
                            .scroll = screen->scroll,
                            .first_column = screen->first_column};
    int width = (int)view.width;

    erase();
    if (screen->top.now.rows.have_layout &&
        top_render(&screen->top, &view, draw_line, NULL, &screen->error) < 0)
        screen->paused = true;
    if (screen->error.text[0] != '\0')
        mvaddnstr(LINES - 1, 0, screen->error.text, width);
    else
        mvaddnstr(LINES - 1, 0, screen->paused ? "paused: space goes on   q quit"
                                               : "q quit   b bytes   p packets   f flows   arrows scroll   space pause",
                  width);
    refresh();
}

static void sort_by(struct screen *screen, enum client_counter counter)
{
    screen->top.sort_by = counter;
    screen->scroll = 0;
    if (top_sort(&screen->top) < 0)
        error_set(&screen->error, "ERROR: out of memory");
}

static void scroll_by(struct screen *screen, int64_t rows)
{
    uint64_t last = screen->top.order_count > 0 ? screen->top.order_count - 1 : 0;

    if (rows < 0)
        screen->scroll -= min_u64(screen->scroll, (uint64_t)-rows);
    else
        screen->scroll = min_u64(screen->scroll + (uint64_t)rows, last);
}

static void on_key(struct screen *screen, int key)
{
    switch (key) {
    case 'q':
    case 'Q':
        screen->ended = true;
        break;
    case 'b':
        sort_by(screen, CLIENT_BYTES);
        break;
    case 'p':
        sort_by(screen, CLIENT_PACKETS);
        break;
    case 'f':
        sort_by(screen, CLIENT_FLOWS);
        break;
    case ' ':
        screen->paused = !screen->paused;
        break;
    case KEY_UP:
        scroll_by(screen, -1);
        break;
    case KEY_DOWN:
        scroll_by(screen, 1);
        break;
    case KEY_LEFT:
        screen->first_column -= screen->first_column > 0;
        break;
    case KEY_RIGHT:
        screen->first_column += screen->first_column + 1 < screen->top.now.rows.layout.slot_count;
        break;
    case KEY_PPAGE:
        scroll_by(screen, -(LINES - 4));
        break;
    case KEY_NPAGE:
        scroll_by(screen, LINES - 4);
        break;
    case KEY_HOME:
        screen->scroll = 0;
        break;
    default: /* KEY_RESIZE too: everything is drawn again */
        break;
    }
}

static void run(struct screen *screen, unsigned seconds)
{
    /* The first sample has just been taken. The second one comes soon, but late enough for rates to mean something. */
    int64_t next_ns = time_monotonic_ns() + time_second_ns;

    while (!screen->ended && !asked_to_end) {
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
        int64_t now_ns = time_monotonic_ns();
        int key;

        if (now_ns >= next_ns) {
            next_ns = now_ns + seconds * time_second_ns;
            if (!screen->paused) {
                screen->error.text[0] = '\0';
                top_take(&screen->top, &screen->error);
                scroll_by(screen, 0);
            }
        }
        draw(screen);
        if (poll(&input, 1, (int)((next_ns - time_monotonic_ns()) / 1000000 + 1)) > 0 && (input.revents & ~POLLIN))
            return; /* the terminal is gone */
        while ((key = getch()) != ERR)
            on_key(screen, key);
    }
}

int screen_run(const struct client_options *options)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct screen screen = {.scroll = 0};
    SCREEN *terminal;

    top_open(&screen.top, options);
    if (top_take(&screen.top, &screen.error) < 0) {
        top_close(&screen.top);
        return show_failure(screen.error.text);
    }
    terminal = isatty(STDOUT_FILENO) && isatty(STDIN_FILENO) ? newterm(NULL, stdout, stdin) : NULL;
    if (terminal == NULL) {
        top_close(&screen.top);
        return show_failure("ERROR: this is no terminal that can be drawn on: use --batch FRAMES");
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    curs_set(0);
    run(&screen, options->top_seconds);
    endwin();
    delscreen(terminal);
    top_close(&screen.top);
    return 0;
}
