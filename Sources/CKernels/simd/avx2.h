// Vectors of 16 f32 as two of AVX2's eight.
#ifndef CK_SIMD_AVX2_H
#define CK_SIMD_AVX2_H

#include "common.h"
#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#else
#pragma GCC target("avx2,fma,f16c")
#endif

// Twelve of sixteen registers for sums: two for weights, one for an input.
enum { TILE_VECTORS = 6, TILE_ROWS = 6 };

typedef struct { __m256 a, b; } vec;
typedef struct { __m256i a, b; } ivec;

INLINE vec v_set(float x) { return (vec){_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
INLINE vec v_zero(void) { return (vec){_mm256_setzero_ps(), _mm256_setzero_ps()}; }
INLINE vec v_load(const float *p) { return (vec){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
INLINE void v_store(float *p, vec x) {
    _mm256_storeu_ps(p, x.a);
    _mm256_storeu_ps(p + 8, x.b);
}
#define BOTH(f) ((vec){f(x.a, y.a), f(x.b, y.b)})
INLINE vec v_add(vec x, vec y) { return BOTH(_mm256_add_ps); }
INLINE vec v_sub(vec x, vec y) { return BOTH(_mm256_sub_ps); }
INLINE vec v_mul(vec x, vec y) { return BOTH(_mm256_mul_ps); }
INLINE vec v_div(vec x, vec y) { return BOTH(_mm256_div_ps); }
INLINE vec v_max(vec x, vec y) { return BOTH(_mm256_max_ps); }
INLINE vec v_min(vec x, vec y) { return BOTH(_mm256_min_ps); }
#undef BOTH
INLINE vec v_fma(vec x, vec y, vec z) {
    return (vec){_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)};
}
INLINE vec v_fnma(vec x, vec y, vec z) {
    return (vec){_mm256_fnmadd_ps(x.a, y.a, z.a), _mm256_fnmadd_ps(x.b, y.b, z.b)};
}
INLINE vec v_abs(vec x) {
    const __m256 sign = _mm256_set1_ps(-0.0f);
    return (vec){_mm256_andnot_ps(sign, x.a), _mm256_andnot_ps(sign, x.b)};
}
INLINE vec v_round(vec x) {
    enum { EVEN = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC };
    return (vec){_mm256_round_ps(x.a, EVEN), _mm256_round_ps(x.b, EVEN)};
}
INLINE __m256 exp2i_8(__m256 x) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(x), _mm256_set1_epi32(127)), 23));
}
INLINE vec v_exp2i(vec x) { return (vec){exp2i_8(x.a), exp2i_8(x.b)}; }
// Lane i with i + 8, then i + 4, i + 2, i + 1: the same order on every instruction set.
INLINE float v_sum(vec x) {
    const __m256 eight = _mm256_add_ps(x.a, x.b);
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
}
INLINE float v_greatest(vec x) {
    const __m256 eight = _mm256_max_ps(x.a, x.b);
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    four = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(four, _mm_movehdup_ps(four)));
}

#include "partial.h"

INLINE __m256 bf16_8(const uint16_t *p) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p)), 16));
}
INLINE vec v_load_bf16(const uint16_t *p) { return (vec){bf16_8(p), bf16_8(p + 8)}; }
/// To nearest even in the upper half of each lane; NaN stays NaN.
INLINE __m256i bf16_bits_8(__m256 x) {
    const __m256i bits = _mm256_castps_si256(x);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i near = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    const __m256 is_nan = _mm256_cmp_ps(x, x, _CMP_UNORD_Q);
    return _mm256_srli_epi32(_mm256_blendv_epi8(near, quiet, _mm256_castps_si256(is_nan)), 16);
}
INLINE void v_store_bf16(uint16_t *p, vec x) {
    const __m256i packed = _mm256_packus_epi32(bf16_bits_8(x.a), bf16_bits_8(x.b));
    _mm256_storeu_si256((__m256i *)p, _mm256_permute4x64_epi64(packed, 0xd8));
}

#include "pairs.h"

INLINE pairs v_load_pairs(const uint16_t *p) {
    const __m256i a = _mm256_loadu_si256((const __m256i *)p), b = _mm256_loadu_si256((const __m256i *)(p + 16));
    const __m256i upper = _mm256_set1_epi32((int)0xffff0000);
    return (pairs){
        {_mm256_castsi256_ps(_mm256_slli_epi32(a, 16)), _mm256_castsi256_ps(_mm256_slli_epi32(b, 16))},
        {_mm256_castsi256_ps(_mm256_and_si256(a, upper)), _mm256_castsi256_ps(_mm256_and_si256(b, upper))}};
}

// Four bytes of weights times four of input, as two products of 16-bit pairs: bytes 0 and 2, and bytes 1 and 3. Exact, where
// the instruction for bytes saturates.
typedef struct { __m256i even_a, odd_a, even_b, odd_b; } quads;
typedef struct { __m256i even, odd; } quad;
INLINE quads v_load_quads(const int8_t *p) {
    const __m256i a = _mm256_loadu_si256((const __m256i *)p), b = _mm256_loadu_si256((const __m256i *)(p + 32));
    return (quads){
        _mm256_srai_epi16(_mm256_slli_epi16(a, 8), 8), _mm256_srai_epi16(a, 8),
        _mm256_srai_epi16(_mm256_slli_epi16(b, 8), 8), _mm256_srai_epi16(b, 8)};
}
INLINE quad v_broadcast_quad(const uint8_t *p) {
    int32_t bytes;
    memcpy(&bytes, p, sizeof bytes);
    const __m256i x = _mm256_set1_epi32(bytes);
    return (quad){_mm256_and_si256(x, _mm256_set1_epi16(0xff)), _mm256_srli_epi16(x, 8)};
}
INLINE ivec v_dot_quads(ivec sum, quads w, quad x) {
    const __m256i a = _mm256_add_epi32(_mm256_madd_epi16(w.even_a, x.even), _mm256_madd_epi16(w.odd_a, x.odd));
    const __m256i b = _mm256_add_epi32(_mm256_madd_epi16(w.even_b, x.even), _mm256_madd_epi16(w.odd_b, x.odd));
    return (ivec){_mm256_add_epi32(sum.a, a), _mm256_add_epi32(sum.b, b)};
}
INLINE ivec v_load_int(const int32_t *p) {
    return (ivec){_mm256_loadu_si256((const __m256i *)p), _mm256_loadu_si256((const __m256i *)(p + 8))};
}
INLINE vec v_from_int(ivec x) { return (vec){_mm256_cvtepi32_ps(x.a), _mm256_cvtepi32_ps(x.b)}; }
INLINE void v_store_u8(uint8_t *p, vec x) {
    const __m256i words = _mm256_permute4x64_epi64(
        _mm256_packus_epi32(_mm256_cvtps_epi32(x.a), _mm256_cvtps_epi32(x.b)), 0xd8);
    _mm_storeu_si128(
        (__m128i *)p, _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
}

#endif
