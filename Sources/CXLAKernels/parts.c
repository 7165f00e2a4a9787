#include "parts.h"
#include <pthread.h>

/// Bytes of a block's transformed inputs and products: what the second cache holds beside the weights at one point.
enum { NEAR_MEMORY = 256 << 10, FEWEST_TILES = 36 };

static pthread_key_t scratch_key;
/// False if the process has no more keys; the memory of threads that end is then lost.
static bool has_key;
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;
static _Thread_local struct { float *memory; size_t size; } scratch;

static void free_scratch(void *memory) { ck_free(memory); }
static void make_key(void) { has_key = pthread_key_create(&scratch_key, free_scratch) == 0; }

ck_conv xk_conv(const int64_t *shape, int64_t dilation) {
    const bool is_fast = shape[0] >= 5 && shape[0] <= 8;
    return (ck_conv){(size_t)shape[0], (size_t)shape[1], (size_t)shape[2], (size_t)dilation, CK_F32, is_fast};
}

float *xk_scratch(size_t size) {
    if (size <= scratch.size) return scratch.memory;
    pthread_once(&scratch_once, make_key);
    ck_free(scratch.memory);
    scratch.memory = ck_allocate(size);
    scratch.size = scratch.memory ? size : 0;
    if (has_key) pthread_setspecific(scratch_key, scratch.memory);
    return scratch.memory;
}

size_t xk_block_rows(const ck_conv *conv, size_t rows) {
    const size_t span = CK_FAST_TILE * conv->dilation;
    size_t tiles = NEAR_MEMORY / sizeof(float) / CK_FAST_POINTS / (conv->inputs + conv->outputs);
    if (tiles < FEWEST_TILES) tiles = FEWEST_TILES;
    size_t most = (tiles / conv->dilation > 1 ? tiles / conv->dilation : 1) * span;
    if (most >= rows) return rows;
    const size_t blocks = (rows + most - 1) / most, even = (rows + blocks - 1) / blocks;
    return (even + span - 1) / span * span;
}
