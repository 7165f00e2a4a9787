#if defined(__x86_64__)

#define CK_DOT_PRODUCTS
#include "simd/avx512.h"

#include "kernels/all.h"

const ck_table ck_avx512 = CK_TABLE;

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
