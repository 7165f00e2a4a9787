// Vectors of 16 f32 as AVX-512 has them. With CK_DOT_PRODUCTS, its BF16 and VNNI extensions too.
#ifndef CK_SIMD_AVX512_H
#define CK_SIMD_AVX512_H

#include "common.h"
#include <immintrin.h>

#if defined(CK_DOT_PRODUCTS)
#define TARGET "avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vnni"
#else
#define TARGET "avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl"
#endif
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target(TARGET))), apply_to = function)
#else
#pragma GCC target(TARGET)
#endif

// Twenty-four of thirty-two registers for sums.
enum { TILE_VECTORS = 24, TILE_ROWS = 12 };

typedef __m512 vec;
typedef __m512i ivec;

INLINE vec v_set(float x) { return _mm512_set1_ps(x); }
INLINE vec v_zero(void) { return _mm512_setzero_ps(); }
INLINE vec v_load(const float *p) { return _mm512_loadu_ps(p); }
INLINE void v_store(float *p, vec x) { _mm512_storeu_ps(p, x); }
INLINE vec v_add(vec x, vec y) { return _mm512_add_ps(x, y); }
INLINE vec v_sub(vec x, vec y) { return _mm512_sub_ps(x, y); }
INLINE vec v_mul(vec x, vec y) { return _mm512_mul_ps(x, y); }
INLINE vec v_div(vec x, vec y) { return _mm512_div_ps(x, y); }
INLINE vec v_max(vec x, vec y) { return _mm512_max_ps(x, y); }
INLINE vec v_min(vec x, vec y) { return _mm512_min_ps(x, y); }
INLINE vec v_fma(vec x, vec y, vec z) { return _mm512_fmadd_ps(x, y, z); }
INLINE vec v_fnma(vec x, vec y, vec z) { return _mm512_fnmadd_ps(x, y, z); }
INLINE vec v_abs(vec x) { return _mm512_abs_ps(x); }
INLINE vec v_round(vec x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
INLINE vec v_exp2i(vec x) { return _mm512_scalef_ps(_mm512_set1_ps(1), x); }
// Lane i with i + 8, then i + 4, i + 2, i + 1: the same order on every instruction set.
INLINE float v_sum(vec x) {
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
}
INLINE float v_greatest(vec x) { return _mm512_reduce_max_ps(x); }

INLINE __mmask16 first(size_t n) { return (__mmask16)((1u << n) - 1); }
INLINE vec v_load_n(const float *p, size_t n) { return _mm512_maskz_loadu_ps(first(n), p); }
INLINE void v_store_n(float *p, vec x, size_t n) { _mm512_mask_storeu_ps(p, first(n), x); }

INLINE vec v_load_bf16(const uint16_t *p) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p)), 16));
}

#if defined(CK_DOT_PRODUCTS)

INLINE void v_store_bf16(uint16_t *p, vec x) {
    _mm256_storeu_si256((__m256i *)p, (__m256i)_mm512_cvtneps_pbh(x));
}

typedef __m512bh pairs, pair;
INLINE pairs v_load_pairs(const uint16_t *p) { return (__m512bh)_mm512_loadu_si512(p); }
INLINE pair v_broadcast_pair(const uint16_t *p) {
    int32_t bits;
    memcpy(&bits, p, sizeof bits);
    return (__m512bh)_mm512_set1_epi32(bits);
}
INLINE vec v_dot_pairs(vec sum, pairs w, pair x) { return _mm512_dpbf16_ps(sum, w, x); }

typedef __m512i quads, quad;
INLINE quads v_load_quads(const int8_t *p) { return _mm512_loadu_si512(p); }
INLINE quad v_broadcast_quad(const uint8_t *p) {
    int32_t bytes;
    memcpy(&bytes, p, sizeof bytes);
    return _mm512_set1_epi32(bytes);
}
INLINE ivec v_dot_quads(ivec sum, quads w, quad x) { return _mm512_dpbusd_epi32(sum, x, w); }

#else

/// To nearest even; NaN stays NaN.
INLINE void v_store_bf16(uint16_t *p, vec x) {
    const __m512i bits = _mm512_castps_si512(x);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i near = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    const __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
    const __m512i kept = _mm512_mask_mov_epi32(near, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), quiet);
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtepi32_epi16(_mm512_srli_epi32(kept, 16)));
}

#include "pairs.h"

INLINE pairs v_load_pairs(const uint16_t *p) {
    const __m512i a = _mm512_loadu_si512(p);
    return (pairs){
        _mm512_castsi512_ps(_mm512_slli_epi32(a, 16)),
        _mm512_castsi512_ps(_mm512_and_si512(a, _mm512_set1_epi32((int)0xffff0000)))};
}

// Bytes 0 and 2, and bytes 1 and 3, as products of 16-bit pairs: exact.
typedef struct { __m512i even, odd; } quads, quad;
INLINE quads v_load_quads(const int8_t *p) {
    const __m512i a = _mm512_loadu_si512(p);
    return (quads){_mm512_srai_epi16(_mm512_slli_epi16(a, 8), 8), _mm512_srai_epi16(a, 8)};
}
INLINE quad v_broadcast_quad(const uint8_t *p) {
    int32_t bytes;
    memcpy(&bytes, p, sizeof bytes);
    const __m512i x = _mm512_set1_epi32(bytes);
    return (quad){_mm512_and_si512(x, _mm512_set1_epi16(0xff)), _mm512_srli_epi16(x, 8)};
}
INLINE ivec v_dot_quads(ivec sum, quads w, quad x) {
    return _mm512_add_epi32(
        sum, _mm512_add_epi32(_mm512_madd_epi16(w.even, x.even), _mm512_madd_epi16(w.odd, x.odd)));
}

#endif

INLINE ivec v_load_int(const int32_t *p) { return _mm512_loadu_si512(p); }
INLINE vec v_from_int(ivec x) { return _mm512_cvtepi32_ps(x); }
INLINE void v_store_u8(uint8_t *p, vec x) {
    _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x)));
}

#endif
