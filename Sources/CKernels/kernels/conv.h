// Unit-stride convolutions over packed weights: tiles of registers, blocks of outputs outside, rows inside, so that a block of
// weights is read from near memory again and again.

#define TILE tile_f32
#define ELEMENT float
#define WEIGHT float
#define STEP 1
#define WEIGHTS vec
#define LOAD(p) v_load(p)
#define FACTOR vec
#define BROADCAST(p) v_set(*(p))
#define DOT(sum, w, f) v_fma(f, w, sum)
#include "tile.h"

#define TILE tile_f32_bf16
#define ELEMENT float
#define WEIGHT uint16_t
#define STEP 1
#define WEIGHTS vec
#define LOAD(p) v_load_bf16(p)
#define FACTOR vec
#define BROADCAST(p) v_set(*(p))
#define DOT(sum, w, f) v_fma(f, w, sum)
#include "tile.h"

#define TILE tile_bf16
#define ELEMENT uint16_t
#define WEIGHT uint16_t
#define STEP 2
#define WEIGHTS pairs
#define LOAD(p) v_load_pairs(p)
#define FACTOR pair
#define BROADCAST(p) v_broadcast_pair(p)
#define DOT(sum, w, f) v_dot_pairs(sum, w, f)
#include "tile.h"
#include "tile_int8.h"

/// What one tile needs, in any type.
typedef struct {
    const ck_conv *conv;
    const void *packed;
    const ck_input *x;
    /// In the tile's first output, of the packed weights.
    size_t column;
    float *sums;
    size_t sums_stride;
} tile_call;

/// Rows and vectors that fit in the registers, each a function of its own.
#define EACH_TILE(APPLY) \
    APPLY(1, 1) APPLY(2, 1) APPLY(3, 1) APPLY(4, 1) APPLY(5, 1) APPLY(6, 1) APPLY(7, 1) APPLY(8, 1) APPLY(9, 1) \
    APPLY(10, 1) APPLY(11, 1) APPLY(12, 1) APPLY(1, 2) APPLY(2, 2) APPLY(3, 2) APPLY(4, 2) APPLY(5, 2) APPLY(6, 2) \
    APPLY(7, 2) APPLY(8, 2) APPLY(9, 2) APPLY(10, 2) APPLY(11, 2) APPLY(12, 2) APPLY(1, 4) APPLY(2, 4) APPLY(3, 4) \
    APPLY(4, 4) APPLY(5, 4) APPLY(6, 4) APPLY(1, 8) APPLY(2, 8) APPLY(3, 8)

#define FITS(R, V) ((R) <= TILE_ROWS && (R) * (V) <= TILE_VECTORS)

#define DEFINE_TILES(R, V) \
    static void f32_##R##_##V(const tile_call *t, size_t row) { \
        const size_t block = conv_block_size(t->conv); \
        const float *weights = (const float *)t->packed + t->column / CK_BLOCK * block + t->column % CK_BLOCK; \
        if (FITS(R, V)) \
            tile_f32( \
                R, V, t->conv, t->x->stride, (const float *)t->x->rows + row * t->x->stride, weights, block, t->sums, \
                t->sums_stride); \
    } \
    static void f32_bf16_##R##_##V(const tile_call *t, size_t row) { \
        const size_t block = conv_block_size(t->conv); \
        const uint16_t *weights = (const uint16_t *)t->packed + t->column / CK_BLOCK * block + t->column % CK_BLOCK; \
        if (FITS(R, V)) \
            tile_f32_bf16( \
                R, V, t->conv, t->x->stride, (const float *)t->x->rows + row * t->x->stride, weights, block, t->sums, \
                t->sums_stride); \
    } \
    static void bf16_##R##_##V(const tile_call *t, size_t row) { \
        const size_t block = conv_block_size(t->conv); \
        const uint16_t *weights \
            = (const uint16_t *)t->packed + t->column / CK_BLOCK * block + t->column % CK_BLOCK * 2; \
        if (FITS(R, V)) \
            tile_bf16( \
                R, V, t->conv, t->x->stride, (const uint16_t *)t->x->rows + row * t->x->stride, weights, block, \
                t->sums, t->sums_stride); \
    } \
    static void int8_##R##_##V(const tile_call *t, size_t row) { \
        const size_t block = conv_block_size(t->conv); \
        const int8_t *weights \
            = (const int8_t *)t->packed + t->column / CK_BLOCK * block + t->column % CK_BLOCK * 4; \
        const int32_t *corrections = conv_corrections(t->conv, t->packed) \
            + t->column / CK_BLOCK * t->conv->taps * CK_BLOCK + t->column % CK_BLOCK; \
        if (FITS(R, V)) { \
            tile_int8( \
                R, V, t->conv, t->x->stride, (const uint8_t *)t->x->rows + row * t->x->stride, t->x->scales + row, \
                weights, corrections, block, t->sums, t->sums_stride); \
            apply_scales(conv_scales(t->conv, t->packed) + t->column, R, V, t->sums, t->sums_stride); \
        } \
    }
EACH_TILE(DEFINE_TILES)

typedef void (*tile_function)(const tile_call *, size_t row);
/// By type, rows, and the logarithm of the vectors.
#define LOG2(V) ((V) == 1 ? 0 : (V) == 2 ? 1 : (V) == 4 ? 2 : 3)
static const tile_function tiles[4][13][4] = {
#define ENTRY(R, V) [R][LOG2(V)] = f32_##R##_##V,
    {EACH_TILE(ENTRY)},
#undef ENTRY
#define ENTRY(R, V) [R][LOG2(V)] = bf16_##R##_##V,
    {EACH_TILE(ENTRY)},
#undef ENTRY
#define ENTRY(R, V) [R][LOG2(V)] = int8_##R##_##V,
    {EACH_TILE(ENTRY)},
#undef ENTRY
#define ENTRY(R, V) [R][LOG2(V)] = f32_bf16_##R##_##V,
    {EACH_TILE(ENTRY)},
#undef ENTRY
};

/// Rows in equal blocks, rather than full ones and a small rest that would read all weights for little work.
typedef struct { size_t count, size, larger; } row_blocks;
INLINE row_blocks cut(size_t rows, size_t most) {
    const size_t count = (rows + most - 1) / most;
    return (row_blocks){count, rows / count, rows % count};
}

/// The logarithm of how many vectors of `outputs` fit with so many rows: as many as can, for with few rows it is their number
/// that hides the products' latency.
INLINE size_t widest(size_t outputs, size_t rows) {
    const size_t vectors = (outputs + 15) / 16;
    size_t log = 3;
    while (log > 0 && (((size_t)1 << log) > vectors || !FITS(rows, (size_t)1 << log))) log--;
    return log;
}

static void conv_blocked(
    const ck_conv *conv, const void *packed, const ck_input *x, const ck_epilogue *e, const ck_part *part)
{
    float sums[16 * TILE_VECTORS] __attribute__((aligned(64)));
    const row_blocks blocks = cut(part->end_row - part->first_row, TILE_ROWS);
    const size_t most_rows = blocks.size + (blocks.larger > 0);
    size_t column = part->first_output;
    while (column < part->end_output) {
        const size_t log = widest(part->end_output - column, most_rows);
        const size_t width = (size_t)16 << log, count = least(width, part->end_output - column);
        const tile_call call = {conv, packed, x, column, sums, width};
        size_t row = part->first_row;
        for (size_t b = 0; b < blocks.count; b++) {
            const size_t rows = blocks.size + (b < blocks.larger);
            tiles[conv->type][rows][log](&call, row);
            finish(e, sums, width, row, rows, column, count);
            row += rows;
        }
        column += count;
    }
}

/// Sums alone, of rows from 0 on, to `sums`: row-major, `stride` a multiple of CK_BLOCK.
static void conv_sums(
    const ck_conv *conv, const void *packed, const ck_input *x, size_t rows, size_t first_output, size_t end_output,
    float *sums, size_t stride)
{
    const row_blocks blocks = cut(rows, TILE_ROWS);
    const size_t most_rows = blocks.size + (blocks.larger > 0);
    for (size_t column = first_output; column < end_output;) {
        const size_t log = widest(end_output - column, most_rows);
        for (size_t b = 0, row = 0; b < blocks.count; b++) {
            const size_t count = blocks.size + (b < blocks.larger);
            const tile_call call = {conv, packed, x, column, sums + row * stride + column, stride};
            tiles[conv->type][count][log](&call, row);
            row += count;
        }
        column += (size_t)16 << log;
    }
}

#include "fast.h"

/// Few outputs: dot products along the inputs.
static void conv_dot(
    const ck_conv *conv, const float *packed, const ck_input *x, const ck_epilogue *e, const ck_part *part)
{
    enum { ROWS = 4 };
    const size_t step = conv->dilation * x->stride;
    for (size_t row = part->first_row; row < part->end_row; row += ROWS) {
        const size_t rows = least(ROWS, part->end_row - row);
        float sums[ROWS * 16];
        for (size_t o = part->first_output; o < part->end_output; o++) {
            const float *const weights = packed + o * conv->taps * conv->inputs;
            const float *from[ROWS];
            vec sum[ROWS];
            UNROLL
            for (size_t r = 0; r < ROWS; r++) {
                // Rows past the end repeat the last one, and their sums go unused.
                from[r] = (const float *)x->rows + (row + least(r, rows - 1)) * x->stride;
                sum[r] = v_zero();
            }
            for (size_t k = 0; k < conv->taps; k++)
                EACH_VECTOR(conv->inputs, {
                    const vec w = v_get(weights + k * conv->inputs + c, n);
                    UNROLL
                    for (size_t r = 0; r < ROWS; r++) sum[r] = v_fma(v_get(from[r] + k * step + c, n), w, sum[r]);
                });
            for (size_t r = 0; r < rows; r++) sums[r * 16 + o - part->first_output] = v_sum(sum[r]);
        }
        finish(e, sums, 16, row, rows, part->first_output, part->end_output - part->first_output);
    }
}

static void conv(
    const ck_conv *shape, const void *packed, const ck_input *x, const ck_epilogue *e, const ck_part *part)
{
    if (part->first_row >= part->end_row || part->first_output >= part->end_output) return;
    if (conv_is_fast(shape)) return conv_fast(shape, packed, x, e, part);
    ck_conv conv = *shape;
    // Taps that follow one another in memory are one tap of all their inputs. Not in int8, where each tap has its scale, and
    // not if dot products would then add up in other lanes.
    if (conv.dilation * x->stride == conv.inputs && conv.type != CK_INT8
        && (!conv_is_dot(&conv) || conv.inputs % 16 == 0)) {
        conv.inputs *= conv.taps;
        conv.taps = 1;
    }
    if (conv_is_dot(&conv))
        conv_dot(&conv, packed, x, e, part);
    else
        conv_blocked(&conv, packed, x, e, part);
}
