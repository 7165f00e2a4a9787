// How packed weights are laid out: by `ck_conv_pack`, for the kernels.
//
// Blocks of CK_BLOCK outputs, the last filled up with zeros. In a block, in f32 `[taps, inputs, CK_BLOCK]`; in bf16
// `[taps, inputs / 2, CK_BLOCK, 2]`; in int8 `[taps, inputs / 4, CK_BLOCK, 4]`. After all blocks, int8 has the scales
// `[outputs, filled up]` f32 and the corrections `[blocks, taps, CK_BLOCK]` i32: -128 · Σ_i w, since inputs are stored with 128
// for zero.
//
// f32 with few outputs is `[outputs, taps, inputs]` and computed as dot products: a block would be mostly zeros.
#ifndef CK_PACKING_H
#define CK_PACKING_H

#include "CKernels.h"

enum { CK_FEW_OUTPUTS = 4 };

static inline bool conv_is_dot(const ck_conv *conv) {
    return conv->type == CK_F32 && conv->outputs <= CK_FEW_OUTPUTS;
}
static inline size_t conv_blocks(const ck_conv *conv) { return (conv->outputs + CK_BLOCK - 1) / CK_BLOCK; }
/// Weights in one block.
static inline size_t conv_block_size(const ck_conv *conv) { return conv->taps * conv->inputs * CK_BLOCK; }

static inline const float *conv_scales(const ck_conv *conv, const void *packed) {
    return (const float *)((const char *)packed + conv_blocks(conv) * conv_block_size(conv));
}
static inline const int32_t *conv_corrections(const ck_conv *conv, const void *packed) {
    return (const int32_t *)(conv_scales(conv, packed) + conv_blocks(conv) * CK_BLOCK);
}

#endif
