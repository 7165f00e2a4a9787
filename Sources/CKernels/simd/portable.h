// Vectors of 16 f32 for any compiler: as four of the four that nearly every CPU has.
#ifndef CK_SIMD_PORTABLE_H
#define CK_SIMD_PORTABLE_H

#include "common.h"

// How many vectors of sums a tile holds in registers, and rows at most.
enum { TILE_VECTORS = 3, TILE_ROWS = 3 };

typedef float quarter __attribute__((vector_size(16)));
typedef struct { quarter q[4]; } vec;
typedef struct { int32_t i[16]; } ivec;

#define EACH(expression) \
    vec y; \
    UNROLL \
    for (int i = 0; i < 4; i++) y.q[i] = (expression); \
    return y

INLINE vec v_set(float a) { EACH(((quarter){a, a, a, a})); }
INLINE vec v_zero(void) { return v_set(0); }
INLINE vec v_load(const float *p) {
    vec y;
    memcpy(&y, p, sizeof y);
    return y;
}
INLINE void v_store(float *p, vec a) { memcpy(p, &a, sizeof a); }
INLINE vec v_add(vec a, vec b) { EACH(a.q[i] + b.q[i]); }
INLINE vec v_sub(vec a, vec b) { EACH(a.q[i] - b.q[i]); }
INLINE vec v_mul(vec a, vec b) { EACH(a.q[i] * b.q[i]); }
INLINE vec v_div(vec a, vec b) { EACH(a.q[i] / b.q[i]); }
INLINE vec v_fma(vec a, vec b, vec c) { EACH(a.q[i] * b.q[i] + c.q[i]); }
INLINE vec v_fnma(vec a, vec b, vec c) { EACH(c.q[i] - a.q[i] * b.q[i]); }

typedef int32_t quarter_mask __attribute__((vector_size(16)));
INLINE quarter pick(quarter_mask m, quarter a, quarter b) {
    return (quarter)((m & (quarter_mask)a) | (~m & (quarter_mask)b));
}
INLINE vec v_max(vec a, vec b) { EACH(pick(a.q[i] > b.q[i], a.q[i], b.q[i])); }
INLINE vec v_min(vec a, vec b) { EACH(pick(a.q[i] < b.q[i], a.q[i], b.q[i])); }
INLINE vec v_abs(vec a) { EACH((quarter)((quarter_mask)a.q[i] & 0x7fffffff)); }
// Adding and taking away 1.5 · 2²³ rounds to even below 2²²; what is larger is rare, and integral from 2²³.
INLINE vec v_round(vec a) {
    const vec magic = v_set(12582912.0f), large = v_set(4194304.0f);
    const vec near = v_sub(v_add(a, magic), magic), size = v_abs(a);
    EACH(pick(size.q[i] < large.q[i], near.q[i], a.q[i]));
}
INLINE vec v_exp2i(vec a) {
    float p[16];
    int32_t bits[16];
    v_store(p, a);
    // NaN, which C converts to no integer, gives 1.
    for (int i = 0; i < 16; i++) bits[i] = (int32_t)((uint32_t)((p[i] == p[i] ? (int32_t)p[i] : 0) + 127) << 23);
    vec y;
    memcpy(&y, bits, sizeof y);
    return y;
}
INLINE float q_sum(quarter a) { return (a[0] + a[2]) + (a[1] + a[3]); }
INLINE float v_sum(vec a) { return q_sum((a.q[0] + a.q[2]) + (a.q[1] + a.q[3])); }
INLINE float v_greatest(vec a) {
    float p[16], m;
    v_store(p, a);
    m = p[0];
    for (int i = 1; i < 16; i++) m = p[i] > m ? p[i] : m;
    return m;
}

#include "partial.h"

INLINE vec v_load_bf16(const uint16_t *p) {
    uint32_t bits[16];
    for (int i = 0; i < 16; i++) bits[i] = (uint32_t)p[i] << 16;
    vec y;
    memcpy(&y, bits, sizeof y);
    return y;
}
INLINE void v_store_bf16(uint16_t *p, vec a) {
    float f[16];
    v_store(f, a);
    for (int i = 0; i < 16; i++) p[i] = bf16_of(f[i]);
}

#include "pairs.h"

INLINE pairs v_load_pairs(const uint16_t *p) {
    uint32_t bits[16], even[16], odd[16];
    memcpy(bits, p, sizeof bits);
    for (int i = 0; i < 16; i++) {
        even[i] = bits[i] << 16;
        odd[i] = bits[i] & 0xffff0000u;
    }
    pairs y;
    memcpy(&y.even, even, sizeof even);
    memcpy(&y.odd, odd, sizeof odd);
    return y;
}

// Weights of 16 outputs for four inputs each, and four inputs.
typedef struct { int8_t b[64]; } quads;
typedef struct { int32_t b[4]; } quad;
INLINE quads v_load_quads(const int8_t *p) {
    quads y;
    memcpy(&y, p, sizeof y);
    return y;
}
INLINE quad v_broadcast_quad(const uint8_t *p) { return (quad){{p[0], p[1], p[2], p[3]}}; }
INLINE ivec v_dot_quads(ivec sum, quads w, quad x) {
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 4; j++) sum.i[i] += w.b[4 * i + j] * x.b[j];
    return sum;
}
INLINE ivec v_load_int(const int32_t *p) {
    ivec y;
    memcpy(&y, p, sizeof y);
    return y;
}
INLINE vec v_from_int(ivec a) {
    float r[16];
    for (int i = 0; i < 16; i++) r[i] = (float)a.i[i];
    return v_load(r);
}
INLINE void v_store_u8(uint8_t *p, vec a) {
    float r[16];
    v_store(r, a);
    for (int i = 0; i < 16; i++) p[i] = (uint8_t)(int32_t)r[i];
}

#undef EACH

#endif
