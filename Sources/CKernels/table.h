// The kernels of one instruction set.
#ifndef CK_TABLE_H
#define CK_TABLE_H

#include "CKernels.h"

typedef struct {
    void (*conv)(const ck_conv *, const void *, const ck_input *, const ck_epilogue *, const ck_part *);
    void (*pack_fast)(const ck_conv *, const float *, size_t, size_t, void *);
    void (*conv_gradient)(
        const ck_conv *, const float *, const float *, size_t, size_t, size_t, size_t, float *, float *);
    void (*snake)(const float *, size_t, const float *, const float *, size_t, size_t, float *, size_t);
    void (*activate)(ck_activation, const float *, size_t, float *);
    void (*bf16_from_f32)(const float *, size_t, uint16_t *);
    void (*quantize_rows)(const float *, size_t, size_t, size_t, uint8_t *, size_t, float *);
    void (*rms_norm)(const float *, size_t, const float *, float, size_t, size_t, float *, size_t);
    void (*attention)(
        const ck_attention *, const float *, size_t, const float *, size_t, const float *, size_t, size_t, size_t,
        size_t, size_t, float *, float *, size_t);
    void (*sum_rows)(const float *, const float *, size_t, size_t, float *);
} ck_table;

extern const ck_table ck_portable;
#if defined(__x86_64__)
extern const ck_table ck_avx2, ck_avx512f, ck_avx512;
#elif defined(__aarch64__)
extern const ck_table ck_neon;
#endif

#endif
