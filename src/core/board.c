/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/board.h"

#include <errno.h>
#include <sys/mman.h>
#include <time.h>

#define look_again_ns 1000000 /* between two looks: 1 ms */

struct board {
    uint64_t number; /* of the text; written last by the lane */
    uint64_t length;
    char text[board_text_max];
};

struct board *board_create(struct error *error)
{
    struct board *board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
                               -1, 0);

    if (board != MAP_FAILED)
        return board;
    error_errno(error, errno, "cannot map a board of %zu bytes", sizeof(*board));
    return NULL;
}

void board_free(struct board *board)
{
    if (board != NULL)
        munmap(board, sizeof(*board));
}

char *board_text(struct board *board)
{
    return board->text;
}

void board_show(struct board *board, size_t length)
{
    board->length = min_u64(length, board_text_max);
    /* Release; partner: board_number. */
    __atomic_store_n(&board->number, board->number + 1, __ATOMIC_RELEASE);
}

uint64_t board_number(const struct board *board)
{
    return __atomic_load_n(&board->number, __ATOMIC_ACQUIRE); /* after the release in board_show */
}

const char *board_wait(const struct board *board, uint64_t before, int timeout_ms, size_t *length)
{
    struct timespec nap = {.tv_nsec = look_again_ns};

    for (int waited = 0; board_number(board) == before; waited++) {
        if (waited >= timeout_ms)
            return NULL;
        nanosleep(&nap, NULL);
    }
    *length = min_u64(board->length, board_text_max);
    return board->text;
}
