// How packed weights are laid out: by `ck_conv_pack`, for the kernels.
//
// Blocks of CK_BLOCK outputs, the last filled up with zeros. In a block, in f32 `[taps, inputs, CK_BLOCK]`; in bf16
// `[taps, inputs / 2, CK_BLOCK, 2]`; in int8 `[taps, inputs / 4, CK_BLOCK, 4]`. After all blocks, int8 has the scales
// `[outputs, filled up]` f32 and the corrections `[blocks, taps, CK_BLOCK]` i32: -128 · Σ_i w, since inputs are stored with 128
// for zero.
//
// f32 with few outputs is `[outputs, taps, inputs]` and computed as dot products: a block would be mostly zeros.
//
// A fast convolution's weights are those of `CK_FAST_POINTS` small ones over tiles, one after the other. See kernels/fast.h.
#ifndef CK_PACKING_H
#define CK_PACKING_H

#include "CKernels.h"

static inline bool conv_is_dot(const ck_conv *conv) {
    return conv->type == CK_F32 && conv->outputs <= CK_FEW_OUTPUTS;
}
static inline size_t conv_blocks(const ck_conv *conv) { return (conv->outputs + CK_BLOCK - 1) / CK_BLOCK; }
/// Weights in one block.
static inline size_t conv_block_size(const ck_conv *conv) { return conv->taps * conv->inputs * CK_BLOCK; }

/// Rows whose products a direct gradient adds before it goes on to other sums.
enum { GRADIENT_BLOCK = 128 };

/// Bytes of a value at a point, of weights or inputs.
static inline size_t fast_value_size(ck_type type) { return type == CK_BF16 ? sizeof(uint16_t) : sizeof(float); }
static inline bool conv_is_fast(const ck_conv *conv) { return conv->block_rows > 0; }
/// The small convolution at one point. The last point's second tap is the eighth weight.
static inline ck_conv fast_part(const ck_conv *conv, size_t point) {
    return (ck_conv){
        .taps = point == CK_FAST_POINTS - 1 && conv->taps < 8 ? 1 : 2, .inputs = conv->inputs, .outputs = conv->outputs,
        .dilation = conv->dilation, .type = conv->type};
}
/// Packed weights at the points before `point`.
static inline size_t fast_offset(const ck_conv *conv, size_t point) {
    size_t offset = 0;
    for (size_t p = 0; p < point; p++) {
        const ck_conv part = fast_part(conv, p);
        offset += (part.outputs + CK_BLOCK - 1) / CK_BLOCK * CK_BLOCK * part.taps * part.inputs;
    }
    return offset;
}
/// Tiles that a block is cut into, those of all phases of the dilation together.
static inline size_t fast_tiles(const ck_conv *conv, size_t rows) {
    const size_t span = CK_FAST_TILE * conv->dilation, rest = rows % span;
    return rows / span * conv->dilation + (rest < conv->dilation ? rest : conv->dilation);
}

/// Blocks that are transformed and multiplied together: of few tiles each, so that many rows share what is read of the weights.
static inline size_t fast_together(const ck_conv *conv) {
    const size_t tiles = fast_tiles(conv, conv->block_rows);
    return tiles < 12 ? 24 / tiles : 1;
}

static inline const float *conv_scales(const ck_conv *conv, const void *packed) {
    return (const float *)((const char *)packed + conv_blocks(conv) * conv_block_size(conv));
}
static inline const int32_t *conv_corrections(const ck_conv *conv, const void *packed) {
    return (const int32_t *)(conv_scales(conv, packed) + conv_blocks(conv) * CK_BLOCK);
}

#endif
