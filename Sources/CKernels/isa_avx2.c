#if defined(__x86_64__)

#include "simd/avx2.h"

#include "kernels/all.h"

const ck_table ck_avx2 = CK_TABLE;

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
