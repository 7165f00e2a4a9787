#include "packing.h"
#include "simd/common.h"
#include <math.h>

static size_t inputs_together(ck_type type) { return type == CK_F32 ? 1 : type == CK_BF16 ? 2 : 4; }

static bool suits(const ck_conv *conv) {
    if (conv_is_fast(conv) && (conv->type != CK_F32 || conv->taps < 5 || conv->taps > 8)) return false;
    return conv->taps > 0 && conv->inputs > 0 && conv->outputs > 0 && conv->dilation > 0
        && conv->inputs % inputs_together(conv->type) == 0;
}

size_t ck_conv_scratch(const ck_conv *conv) {
    if (!suits(conv) || !conv_is_fast(conv)) return 0;
    const size_t tiles = fast_tiles(conv, conv->block_rows), d = conv->dilation;
    return FAST_POINTS * ((tiles + d) * conv->inputs + tiles * conv_blocks(conv) * CK_BLOCK) + conv->inputs + 16;
}

size_t ck_conv_packed_size(const ck_conv *conv) {
    if (!suits(conv)) return 0;
    if (conv_is_fast(conv)) return fast_offset(conv, FAST_POINTS) * sizeof(float);
    if (conv_is_dot(conv)) return conv->taps * conv->inputs * conv->outputs * sizeof(float);
    const size_t count = conv_blocks(conv) * conv_block_size(conv);
    switch (conv->type) {
    case CK_F32: return count * sizeof(float);
    case CK_BF16: return count * sizeof(uint16_t);
    default: return count + conv_blocks(conv) * CK_BLOCK * (sizeof(float) + conv->taps * sizeof(int32_t));
    }
}

/// Where the weight of tap `k`, input `i`, output `o` goes, in elements.
static size_t place(const ck_conv *conv, size_t k, size_t i, size_t o) {
    if (conv_is_dot(conv)) return (o * conv->taps + k) * conv->inputs + i;
    const size_t together = inputs_together(conv->type);
    const size_t row = (k * conv->inputs + i) / together;
    return o / CK_BLOCK * conv_block_size(conv) + (row * CK_BLOCK + o % CK_BLOCK) * together + i % together;
}

static bool pack_int8(const ck_conv *conv, const float *weight, void *packed) {
    int8_t *const bytes = packed;
    float *const scales = (float *)conv_scales(conv, packed);
    int32_t *const corrections = (int32_t *)conv_corrections(conv, packed);
    for (size_t o = 0; o < conv->outputs; o++) {
        float greatest = 0;
        for (size_t row = 0; row < conv->taps * conv->inputs; row++) {
            const float a = fabsf(weight[row * conv->outputs + o]);
            if (!isfinite(a)) return false;
            greatest = fmaxf(greatest, a);
        }
        scales[o] = greatest / 127;
        const float inverse = greatest > 0 ? 127 / greatest : 0;
        for (size_t k = 0; k < conv->taps; k++) {
            int32_t sum = 0;
            for (size_t i = 0; i < conv->inputs; i++) {
                const float scaled = weight[(k * conv->inputs + i) * conv->outputs + o] * inverse;
                // The inverse of a denormal overflows.
                const int8_t q = (int8_t)(isfinite(scaled) ? lrintf(fminf(fmaxf(scaled, -127), 127)) : 0);
                bytes[place(conv, k, i, o)] = q;
                sum += q;
            }
            corrections[(o / CK_BLOCK * conv->taps + k) * CK_BLOCK + o % CK_BLOCK] = -128 * sum;
        }
    }
    return true;
}

bool ck_conv_pack(const ck_conv *conv, const float *weight, void *packed) {
    const size_t size = ck_conv_packed_size(conv);
    if (size == 0) return false;
    if (conv_is_fast(conv)) return ck_conv_pack_outputs(conv, weight, 0, conv->outputs, packed), true;
    memset(packed, 0, size);
    if (conv->type == CK_INT8) return pack_int8(conv, weight, packed);
    for (size_t k = 0; k < conv->taps; k++)
        for (size_t i = 0; i < conv->inputs; i++)
            for (size_t o = 0; o < conv->outputs; o++) {
                const float w = weight[(k * conv->inputs + i) * conv->outputs + o];
                if (conv->type == CK_F32)
                    ((float *)packed)[place(conv, k, i, o)] = w;
                else
                    ((uint16_t *)packed)[place(conv, k, i, o)] = bf16_of(w);
            }
    return true;
}
