// What every instruction set's vectors share.
#ifndef CK_SIMD_COMMON_H
#define CK_SIMD_COMMON_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline, unused))

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

INLINE size_t least(size_t a, size_t b) { return a < b ? a : b; }

/// To bf16, to nearest even; a NaN stays one even if its payload is in the bits that go.
INLINE uint16_t bf16_of(float a) {
    uint32_t bits;
    memcpy(&bits, &a, sizeof bits);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

INLINE float f32_of(uint16_t a) {
    uint32_t bits = (uint32_t)a << 16;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

#endif
