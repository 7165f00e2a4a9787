#include "packing.h"
#include "simd/common.h"
#include <math.h>

static size_t inputs_together(ck_type type) { return type == CK_BF16 ? 2 : type == CK_INT8 ? 4 : 1; }

static bool suits(const ck_conv *conv) {
    const bool has_fast = conv->type == CK_F32 || conv->type == CK_BF16;
    if (conv_is_fast(conv) && (!has_fast || conv->taps < 5 || conv->taps > 8)) return false;
    return conv->taps > 0 && conv->inputs > 0 && conv->outputs > 0 && conv->dilation > 0
        && conv->inputs % inputs_together(conv->type) == 0;
}

size_t ck_conv_scratch(const ck_conv *conv) {
    if (!suits(conv) || !conv_is_fast(conv)) return 0;
    const size_t together = fast_together(conv), tiles = together * fast_tiles(conv, conv->block_rows);
    const size_t values = CK_FAST_POINTS * (together > 1 ? 2 * tiles : tiles + conv->dilation) * conv->inputs;
    return (conv->type == CK_BF16 ? (values + 1) / 2 : values) + CK_FAST_POINTS * tiles * conv_blocks(conv) * CK_BLOCK
        + conv->inputs + 16;
}

size_t ck_conv_gradient_scratch(const ck_conv *conv, size_t inputs) {
    if (!suits(conv) || conv->type != CK_F32) return 0;
    const size_t width = conv_blocks(conv) * CK_BLOCK;
    if (!conv_is_fast(conv)) return width * (conv->taps * inputs + GRADIENT_BLOCK);
    const size_t tiles = fast_tiles(conv, conv->block_rows);
    return CK_FAST_POINTS * (2 * width * inputs + tiles * width + (tiles + conv->dilation) * inputs)
        + (inputs > width ? inputs : width) + 16;
}

size_t ck_conv_packed_size(const ck_conv *conv) {
    if (!suits(conv)) return 0;
    if (conv_is_fast(conv)) return fast_offset(conv, CK_FAST_POINTS) * fast_value_size(conv->type);
    if (conv_is_dot(conv)) return conv->taps * conv->inputs * conv->outputs * sizeof(float);
    const size_t count = conv_blocks(conv) * conv_block_size(conv);
    switch (conv->type) {
    case CK_F32: return count * sizeof(float);
    case CK_BF16:
    case CK_F32_BF16: return count * sizeof(uint16_t);
    default: return count + conv_blocks(conv) * CK_BLOCK * (sizeof(float) + conv->taps * sizeof(int32_t));
    }
}

/// The weights of one row for one block of outputs, filled up with zeros.
static void take_row(const ck_conv *conv, const float *weight, size_t row, size_t block, float taken[CK_BLOCK]) {
    const size_t first = block * CK_BLOCK, count = least(CK_BLOCK, conv->outputs - first);
    memcpy(taken, weight + row * conv->outputs + first, count * sizeof(float));
    if (count < CK_BLOCK) memset(taken + count, 0, (CK_BLOCK - count) * sizeof(float));
}

static void pack_dot(const ck_conv *conv, const float *weight, float *packed) {
    const size_t rows = conv->taps * conv->inputs;
    for (size_t row = 0; row < rows; row++)
        for (size_t o = 0; o < conv->outputs; o++) packed[o * rows + row] = weight[row * conv->outputs + o];
}

// Rows go round all blocks, so that the weights are read once from end to end: they are more than the caches hold.
static void pack_f32(const ck_conv *conv, const float *weight, float *packed) {
    for (size_t row = 0; row < conv->taps * conv->inputs; row++)
        for (size_t block = 0; block < conv_blocks(conv); block++)
            take_row(conv, weight, row, block, packed + block * conv_block_size(conv) + row * CK_BLOCK);
}

static void pack_f32_bf16(const ck_conv *conv, const float *weight, uint16_t *packed) {
    for (size_t row = 0; row < conv->taps * conv->inputs; row++)
        for (size_t block = 0; block < conv_blocks(conv); block++) {
            float taken[CK_BLOCK];
            take_row(conv, weight, row, block, taken);
            uint16_t *const to = packed + block * conv_block_size(conv) + row * CK_BLOCK;
            for (size_t o = 0; o < CK_BLOCK; o++) to[o] = bf16_of(taken[o]);
        }
}

static void pack_bf16(const ck_conv *conv, const float *weight, uint16_t *packed) {
    for (size_t row = 0; row < conv->taps * conv->inputs; row += 2)
        for (size_t block = 0; block < conv_blocks(conv); block++) {
            float even[CK_BLOCK], odd[CK_BLOCK];
            take_row(conv, weight, row, block, even);
            take_row(conv, weight, row + 1, block, odd);
            uint16_t *const pairs = packed + block * conv_block_size(conv) + row * CK_BLOCK;
            for (size_t o = 0; o < CK_BLOCK; o++) {
                pairs[2 * o] = bf16_of(even[o]);
                pairs[2 * o + 1] = bf16_of(odd[o]);
            }
        }
}

/// Gives each output's greatest magnitude.
/// - Returns: false if a weight is not finite.
static bool measure(const ck_conv *conv, const float *weight, size_t block, float greatest[CK_BLOCK]) {
    // Magnitudes are ordered as their bits are, with infinity and then NaN above all numbers.
    int32_t magnitudes[CK_BLOCK] = {0};
    for (size_t row = 0; row < conv->taps * conv->inputs; row++) {
        int32_t bits[CK_BLOCK];
        take_row(conv, weight, row, block, (float *)bits);
        for (size_t o = 0; o < CK_BLOCK; o++) {
            const int32_t magnitude = bits[o] & 0x7fffffff;
            magnitudes[o] = magnitude > magnitudes[o] ? magnitude : magnitudes[o];
        }
    }
    for (size_t o = 0; o < CK_BLOCK; o++)
        if (magnitudes[o] >= 0x7f800000) return false;
    memcpy(greatest, magnitudes, sizeof magnitudes);
    return true;
}

static bool pack_int8(const ck_conv *conv, const float *weight, void *packed) {
    for (size_t block = 0; block < conv_blocks(conv); block++) {
        float greatest[CK_BLOCK], inverse[CK_BLOCK];
        if (!measure(conv, weight, block, greatest)) return false;
        float *const scales = (float *)conv_scales(conv, packed) + block * CK_BLOCK;
        for (size_t o = 0; o < CK_BLOCK; o++) {
            scales[o] = greatest[o] / 127;
            inverse[o] = greatest[o] > 0 ? 127 / greatest[o] : 0;
            // That of a denormal overflows.
            if (!isfinite(inverse[o])) inverse[o] = 0;
        }
        for (size_t k = 0; k < conv->taps; k++) {
            int32_t sums[CK_BLOCK] = {0};
            for (size_t i = 0; i < conv->inputs; i++) {
                const size_t row = k * conv->inputs + i;
                int8_t *const bytes =
                    (int8_t *)packed + block * conv_block_size(conv) + row / 4 * 4 * CK_BLOCK + row % 4;
                float weights[CK_BLOCK];
                take_row(conv, weight, row, block, weights);
                for (size_t o = 0; o < CK_BLOCK; o++) {
                    // Adding leaves no bits for the fraction, which rounds to nearest even.
                    const float magic = 0x1.8p23f, rounded = weights[o] * inverse[o] + magic;
                    const int32_t q = (int32_t)(rounded - magic);
                    bytes[4 * o] = (int8_t)q;
                    sums[o] += q;
                }
            }
            int32_t *const corrections =
                (int32_t *)conv_corrections(conv, packed) + (block * conv->taps + k) * CK_BLOCK;
            for (size_t o = 0; o < CK_BLOCK; o++) corrections[o] = -128 * sums[o];
        }
    }
    return true;
}

bool ck_conv_pack(const ck_conv *conv, const float *weight, void *packed) {
    if (!suits(conv)) return false;
    if (conv_is_fast(conv)) return ck_conv_pack_outputs(conv, weight, 0, conv->outputs, packed), true;
    if (conv->type == CK_INT8) return pack_int8(conv, weight, packed);
    if (conv->type == CK_BF16)
        pack_bf16(conv, weight, packed);
    else if (conv->type == CK_F32_BF16)
        pack_f32_bf16(conv, weight, packed);
    else if (conv_is_dot(conv))
        pack_dot(conv, weight, packed);
    else
        pack_f32(conv, weight, packed);
    return true;
}
