#include "cpu.h"

#if defined(__x86_64__)

#include <cpuid.h>

static uint64_t saved_registers(void) {
    uint32_t low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static bool all(uint32_t word, uint32_t bits) { return (word & bits) == bits; }

bool ck_cpu_has(ck_isa isa) {
    uint32_t a, b, c, d;
    if (isa == CK_ISA_PORTABLE) return true;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !all(c, bit_OSXSAVE | bit_AVX | bit_FMA | bit_F16C)) return false;
    const uint64_t saved = saved_registers();
    enum { XMM_YMM = 0x6, OPMASK_ZMM = 0xe0 };
    if ((saved & XMM_YMM) != XMM_YMM) return false;
    uint32_t deeper;
    if (!__get_cpuid_count(7, 0, &deeper, &b, &c, &d) || !all(b, bit_AVX2)) return false;
    if (isa == CK_ISA_AVX2) return true;
    if ((saved & OPMASK_ZMM) != OPMASK_ZMM) return false;
    if (!all(b, bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL)) return false;
    if (isa == CK_ISA_AVX512F) return true;
    if (isa != CK_ISA_AVX512 || !all(c, bit_AVX512VNNI)) return false;
    enum { BF16 = 1 << 5 };
    return deeper >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) && all(a, BF16);
}

#elif defined(__aarch64__)

// Every 64-bit ARM has NEON.
bool ck_cpu_has(ck_isa isa) { return isa == CK_ISA_PORTABLE || isa == CK_ISA_NEON; }

#else

bool ck_cpu_has(ck_isa isa) { return isa == CK_ISA_PORTABLE; }

#endif
