// Vectors of 16 f32 as four of NEON's four.
#ifndef CK_SIMD_NEON_H
#define CK_SIMD_NEON_H

#include "common.h"
#include <arm_neon.h>

// Twenty-four of thirty-two registers for sums.
enum { TILE_VECTORS = 6, TILE_ROWS = 6 };

typedef struct { float32x4_t q[4]; } vec;
typedef struct { int32x4_t q[4]; } ivec;

#define EACH(expression) \
    vec y; \
    UNROLL \
    for (int i = 0; i < 4; i++) y.q[i] = (expression); \
    return y

INLINE vec v_set(float a) { EACH(vdupq_n_f32(a)); }
INLINE vec v_zero(void) { return v_set(0); }
INLINE vec v_load(const float *p) { EACH(vld1q_f32(p + 4 * i)); }
INLINE void v_store(float *p, vec a) {
    UNROLL
    for (int i = 0; i < 4; i++) vst1q_f32(p + 4 * i, a.q[i]);
}
INLINE vec v_add(vec a, vec b) { EACH(vaddq_f32(a.q[i], b.q[i])); }
INLINE vec v_sub(vec a, vec b) { EACH(vsubq_f32(a.q[i], b.q[i])); }
INLINE vec v_mul(vec a, vec b) { EACH(vmulq_f32(a.q[i], b.q[i])); }
INLINE vec v_div(vec a, vec b) { EACH(vdivq_f32(a.q[i], b.q[i])); }
INLINE vec v_fma(vec a, vec b, vec c) { EACH(vfmaq_f32(c.q[i], a.q[i], b.q[i])); }
INLINE vec v_fnma(vec a, vec b, vec c) { EACH(vfmsq_f32(c.q[i], a.q[i], b.q[i])); }
// The second operand where either is NaN, as on x86: these instructions would give NaN.
INLINE vec v_max(vec a, vec b) { EACH(vbslq_f32(vcgtq_f32(a.q[i], b.q[i]), a.q[i], b.q[i])); }
INLINE vec v_min(vec a, vec b) { EACH(vbslq_f32(vcltq_f32(a.q[i], b.q[i]), a.q[i], b.q[i])); }
INLINE vec v_abs(vec a) { EACH(vabsq_f32(a.q[i])); }
INLINE vec v_round(vec a) { EACH(vrndnq_f32(a.q[i])); }
INLINE vec v_exp2i(vec a) {
    EACH(vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(a.q[i]), vdupq_n_s32(127)), 23)));
}
// Lane i with i + 8, then i + 4, i + 2, i + 1: the same order on every instruction set.
INLINE float v_sum(vec a) {
    const float32x4_t four = vaddq_f32(vaddq_f32(a.q[0], a.q[2]), vaddq_f32(a.q[1], a.q[3]));
    const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}
INLINE float v_greatest(vec a) {
    return vmaxvq_f32(vmaxq_f32(vmaxq_f32(a.q[0], a.q[1]), vmaxq_f32(a.q[2], a.q[3])));
}

#include "partial.h"

INLINE vec v_load_bf16(const uint16_t *p) { EACH(vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p + 4 * i), 16))); }
INLINE void v_store_bf16(uint16_t *p, vec a) {
    UNROLL
    for (int i = 0; i < 4; i++) {
        const uint32x4_t bits = vreinterpretq_u32_f32(a.q[i]);
        const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
        const uint32x4_t near = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
        const uint32x4_t quiet = vorrq_u32(bits, vdupq_n_u32(0x400000));
        vst1_u16(p + 4 * i, vshrn_n_u32(vbslq_u32(vceqq_f32(a.q[i], a.q[i]), near, quiet), 16));
    }
}

#include "pairs.h"

INLINE pairs v_load_pairs(const uint16_t *p) {
    pairs y;
    UNROLL
    for (int i = 0; i < 4; i++) {
        const uint32x4_t bits = vreinterpretq_u32_u16(vld1q_u16(p + 8 * i));
        y.even.q[i] = vreinterpretq_f32_u32(vshlq_n_u32(bits, 16));
        y.odd.q[i] = vreinterpretq_f32_u32(vandq_u32(bits, vdupq_n_u32(0xffff0000)));
    }
    return y;
}

// Sixteen bits each, multiplied to 32 and added pairwise: exact, and no faster than f32. The dot product instructions are
// not in every 64-bit ARM.
typedef struct { int8x16_t q[4]; } quads;
typedef int16x8_t quad;
INLINE quads v_load_quads(const int8_t *p) {
    quads y;
    UNROLL
    for (int i = 0; i < 4; i++) y.q[i] = vld1q_s8(p + 16 * i);
    return y;
}
INLINE quad v_broadcast_quad(const uint8_t *p) {
    uint32_t bytes;
    memcpy(&bytes, p, sizeof bytes);
    return vreinterpretq_s16_u16(vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(bytes))));
}
INLINE int32x4_t dot_2(int16x8_t w, quad x) {
    return vpaddq_s32(vmull_s16(vget_low_s16(w), vget_low_s16(x)), vmull_high_s16(w, x));
}
INLINE ivec v_dot_quads(ivec sum, quads w, quad x) {
    UNROLL
    for (int i = 0; i < 4; i++) {
        const int16x8_t low = vmovl_s8(vget_low_s8(w.q[i])), high = vmovl_high_s8(w.q[i]);
        sum.q[i] = vaddq_s32(sum.q[i], vpaddq_s32(dot_2(low, x), dot_2(high, x)));
    }
    return sum;
}
INLINE ivec v_load_int(const int32_t *p) {
    ivec y;
    UNROLL
    for (int i = 0; i < 4; i++) y.q[i] = vld1q_s32(p + 4 * i);
    return y;
}
INLINE vec v_from_int(ivec a) { EACH(vcvtq_f32_s32(a.q[i])); }
INLINE void v_store_u8(uint8_t *p, vec a) {
    uint16x4_t words[4];
    UNROLL
    for (int i = 0; i < 4; i++) words[i] = vmovn_u32(vcvtnq_u32_f32(a.q[i]));
    vst1_u8(p, vmovn_u16(vcombine_u16(words[0], words[1])));
    vst1_u8(p + 8, vmovn_u16(vcombine_u16(words[2], words[3])));
}

#undef EACH

#endif
