#include "cpu.h"
#include "table.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { ISA_COUNT = CK_ISA_AVX512 + 1 };

static const char *const names[ISA_COUNT] = {"portable", "neon", "avx2", "avx512f", "avx512"};

static const ck_table *const tables[ISA_COUNT] = {
    [CK_ISA_PORTABLE] = &ck_portable,
#if defined(__x86_64__)
    [CK_ISA_AVX2] = &ck_avx2,
    [CK_ISA_AVX512F] = &ck_avx512f,
    [CK_ISA_AVX512] = &ck_avx512,
#elif defined(__aarch64__)
    [CK_ISA_NEON] = &ck_neon,
#endif
};

// One more than the instruction set in use; 0 before the choice. Threads that choose at once choose the same.
static atomic_int chosen;
// Likewise, of a thread that has its own.
static _Thread_local int chosen_here;

static bool is_known(ck_isa isa) { return (int)isa >= 0 && (int)isa < ISA_COUNT; }

bool ck_isa_available(ck_isa isa) { return is_known(isa) && tables[isa] && ck_cpu_has(isa); }

const char *ck_isa_name(ck_isa isa) { return is_known(isa) ? names[isa] : "unknown"; }

static ck_isa choice(void) {
    const char *const wanted = getenv("ALLOPHONE_NATIVE_ISA");
    for (int isa = 0; wanted && isa < ISA_COUNT; isa++)
        if (strcmp(wanted, names[isa]) == 0 && ck_isa_available((ck_isa)isa)) return (ck_isa)isa;
    for (int isa = ISA_COUNT - 1; isa > 0; isa--)
        if (ck_isa_available((ck_isa)isa)) return (ck_isa)isa;
    return CK_ISA_PORTABLE;
}

ck_isa ck_isa_current(void) {
    if (chosen_here) return (ck_isa)(chosen_here - 1);
    int now = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (now == 0) {
        now = (int)choice() + 1;
        atomic_store_explicit(&chosen, now, memory_order_relaxed);
    }
    return (ck_isa)(now - 1);
}

bool ck_isa_use(ck_isa isa) {
    if (!ck_isa_available(isa)) return false;
    chosen_here = (int)isa + 1;
    return true;
}

static const ck_table *now(void) { return tables[ck_isa_current()]; }

void ck_conv_run(
    const ck_conv *conv, const void *packed, const ck_input *x, const ck_epilogue *epilogue, const ck_part *part)
{
    now()->conv(conv, packed, x, epilogue, part);
}

void ck_conv_pack_outputs(const ck_conv *conv, const float *weight, size_t first, size_t end, void *packed) {
    now()->pack_fast(conv, weight, first, end, packed);
}

void ck_conv_gradient(
    const ck_conv *conv, const float *x, const float *y, size_t batch, size_t rows, size_t first_input, size_t end_input,
    float *scratch, float *weight)
{
    now()->conv_gradient(conv, x, y, batch, rows, first_input, end_input, scratch, weight);
}

void ck_snake(
    const float *x, size_t x_stride, const float *alpha, const float *inverse, size_t rows, size_t channels, float *y,
    size_t y_stride)
{
    now()->snake(x, x_stride, alpha, inverse, rows, channels, y, y_stride);
}

void ck_activate(ck_activation activation, const float *x, size_t count, float *y) {
    now()->activate(activation, x, count, y);
}

void ck_bf16_from_f32(const float *x, size_t count, uint16_t *y) { now()->bf16_from_f32(x, count, y); }

void ck_quantize_rows(
    const float *x, size_t x_stride, size_t rows, size_t channels, uint8_t *y, size_t y_stride, float *scales)
{
    now()->quantize_rows(x, x_stride, rows, channels, y, y_stride, scales);
}

void ck_rms_norm(
    const float *x, size_t x_stride, const float *scale, float epsilon, size_t rows, size_t channels, float *y,
    size_t y_stride)
{
    now()->rms_norm(x, x_stride, scale, epsilon, rows, channels, y, y_stride);
}

void ck_attention_run(
    const ck_attention *attention, const float *q, size_t q_stride, const float *keys, size_t key_stride,
    const float *values, size_t value_stride, size_t slots, size_t first_slot, size_t existing, size_t rows,
    float *scratch, float *y, size_t y_stride)
{
    now()->attention(
        attention, q, q_stride, keys, key_stride, values, value_stride, slots, first_slot, existing, rows, scratch, y,
        y_stride);
}

size_t ck_attention_scratch(const ck_attention *attention) { return attention->window; }

void ck_sum_rows(const float *x, const float *y, size_t rows, size_t channels, float *sum) {
    now()->sum_rows(x, y, rows, channels, sum);
}
