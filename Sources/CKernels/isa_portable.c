#include "simd/portable.h"

#include "kernels/all.h"

const ck_table ck_portable = CK_TABLE;
