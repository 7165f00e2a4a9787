#define _GNU_SOURCE
#include "CKernels.h"
#include <stdlib.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

enum { LINE = 64, HUGE_PAGE = 2 << 20 };

void *ck_allocate(size_t size) {
    const size_t alignment = size >= HUGE_PAGE ? HUGE_PAGE : LINE;
    void *memory;
    if (posix_memalign(&memory, alignment, size > 0 ? size : 1) != 0) return NULL;
#if defined(__linux__)
    // Only whole pages, so that what the process holds does not grow. A kernel without them says no, which does not matter.
    if (size >= HUGE_PAGE) madvise(memory, size / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
    return memory;
}

void ck_free(void *memory) { free(memory); }
