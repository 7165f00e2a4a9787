#if defined(__aarch64__)

#include "simd/neon.h"

#include "kernels/all.h"

const ck_table ck_neon = CK_TABLE;

#endif
