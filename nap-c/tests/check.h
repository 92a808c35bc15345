/* Stops the program where something does not hold, and says what. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>

static inline void check_at(int holds, const char *what, int line) {
    if (!holds) {
        fprintf(stderr, "line %d: %s\n", line, what);
        exit(1);
    }
}
#define CHECK(what) check_at(what, #what, __LINE__)

#endif
