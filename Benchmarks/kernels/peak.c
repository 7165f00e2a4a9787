#include "peak.h"
#include <time.h>

double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

enum { STEPS = 3000000, CHAINS = 12 };

// Twelve chains hide the latency; the empty assembly keeps the compiler from knowing what is in the registers.
#define DEFINE_PEAK(name, isa, type, initial, lanes, step) \
    __attribute__((target(isa), noinline)) static double name(void) { \
        type sums[CHAINS], a = initial, b = initial; \
        for (int i = 0; i < CHAINS; i++) sums[i] = initial; \
        __asm__ volatile("" : "+v"(a), "+v"(b)); \
        const double start = seconds(); \
        for (long n = 0; n < STEPS; n++) { \
            for (int i = 0; i < CHAINS; i++) sums[i] = step; \
        } \
        const double taken = seconds() - start; \
        for (int i = 0; i < CHAINS; i++) __asm__ volatile("" : : "v"(sums[i])); \
        return 2.0 * lanes * CHAINS * STEPS / taken * 1e-9; \
    }

#if defined(__x86_64__)

#include <immintrin.h>

DEFINE_PEAK(avx2, "avx2,fma", __m256, _mm256_set1_ps(0.5f), 8, _mm256_fmadd_ps(a, sums[i], b))
DEFINE_PEAK(avx512, "avx512f", __m512, _mm512_set1_ps(0.5f), 16, _mm512_fmadd_ps(a, sums[i], b))
DEFINE_PEAK(
    avx512_bf16, "avx512f,avx512bf16", __m512, _mm512_set1_ps(0.5f), 32,
    _mm512_dpbf16_ps(sums[i], (__m512bh)a, (__m512bh)b))
DEFINE_PEAK(
    avx512_int8, "avx512f,avx512vnni", __m512i, _mm512_set1_epi8(1), 64, _mm512_dpbusd_epi32(sums[i], a, b))

double peak(ck_isa isa, ck_type type) {
    double best = 0;
    for (int run = 0; run < 5; run++) {
        double now = 0;
        if (isa == CK_ISA_AVX2 && type == CK_F32) now = avx2();
        if (isa >= CK_ISA_AVX512F && type == CK_F32) now = avx512();
        if (isa == CK_ISA_AVX512 && type == CK_BF16) now = avx512_bf16();
        if (isa == CK_ISA_AVX512 && type == CK_INT8) now = avx512_int8();
        if (now > best) best = now;
    }
    return best;
}

#else

double peak(ck_isa isa, ck_type type) { return (void)isa, (void)type, 0.0; }

#endif
