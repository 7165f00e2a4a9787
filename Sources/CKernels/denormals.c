#include "CKernels.h"

#if defined(__x86_64__) || defined(__i386__)
#include <xmmintrin.h>

// Flush-to-zero and denormals-are-zero.
uint64_t ck_flush_denormals(void) {
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040);
    return before;
}

void ck_restore_denormals(uint64_t before) { _mm_setcsr((unsigned)before); }

#elif defined(__aarch64__)

// FPCR.FZ, for operands and results.
uint64_t ck_flush_denormals(void) {
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | (1ull << 24)));
    return before;
}

void ck_restore_denormals(uint64_t before) { __asm__ volatile("msr fpcr, %0" : : "r"(before)); }

#else

uint64_t ck_flush_denormals(void) { return 0; }
void ck_restore_denormals(uint64_t before) { (void)before; }

#endif
