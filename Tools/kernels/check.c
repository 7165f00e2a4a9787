// Compares every kernel on every instruction set of this CPU with the portable one, fast convolutions with their definition,
// and results of split calls with those of whole ones, bit for bit. For where Swift's tests do not run: under an emulator.
//
// The bits it prints are of convolutions in f32, and the same on every CPU but for the portable kernels.
#include "check.h"
#include <stdarg.h>

static int failures, comparisons;

static uint32_t state = 1;
static float uniform(void) {
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / (1 << 23) - 1;
}
float *random_floats(size_t count, float bound) {
    float *const x = malloc(count * sizeof(float));
    for (size_t i = 0; i < count; i++) x[i] = uniform() * bound;
    return x;
}

void fail(const char *what, ...) {
    va_list arguments;
    va_start(arguments, what);
    vprintf(what, arguments);
    va_end(arguments);
    printf(", on %s\n", ck_isa_name(ck_isa_current()));
    failures++;
}

void compare(const char *what, const float *got, const float *wanted, size_t count, float tolerance) {
    comparisons++;
    for (size_t i = 0; i < count; i++) {
        const bool same = got[i] == wanted[i] || (isnan(got[i]) && isnan(wanted[i]));
        if (same || fabsf(got[i] - wanted[i]) <= tolerance * (1 + fabsf(wanted[i]))) continue;
        fail("%s: %g, not %g, at %zu of %zu", what, (double)got[i], (double)wanted[i], i, count);
        return;
    }
}

void compare_bytes(const char *what, const void *got, const void *wanted, size_t size) {
    comparisons++;
    if (memcmp(got, wanted, size) != 0) fail("%s: not the same bits", what);
}

void widen(const uint16_t *halves, size_t count, float *result) {
    for (size_t i = 0; i < count; i++) {
        const uint32_t bits = (uint32_t)halves[i] << 16;
        memcpy(result + i, &bits, sizeof bits);
    }
}

void expect(bool holds, const char *what) {
    comparisons++;
    if (!holds) fail("%s", what);
}

// FNV-1a.
enum { FIRST_DIGEST = 0x811c9dc5 };
static uint32_t digest;
void count_bits(const float *results, size_t count) {
    const uint8_t *const bytes = (const uint8_t *)results;
    for (size_t i = 0; i < count * sizeof(float); i++) digest = (digest ^ bytes[i]) * 0x01000193;
}

int main(void) {
    uint32_t wanted = 0;
    for (int isa = CK_ISA_PORTABLE; isa <= CK_ISA_AVX512; isa++) {
        if (!ck_isa_available((ck_isa)isa)) continue;
        const int before = failures, compared = comparisons;
        state = 1;
        digest = FIRST_DIGEST;
        check_convolutions((ck_isa)isa);
        check_fast_convolutions((ck_isa)isa);
        check_others((ck_isa)isa);
        if (isa != CK_ISA_PORTABLE) {
            if (wanted != 0) expect(digest == wanted, "f32 has the same bits as on the instruction set before");
            wanted = digest;
        }
        printf(
            "%s: %d comparisons, %d failed, bits %08x\n", ck_isa_name((ck_isa)isa), comparisons - compared,
            failures - before, digest);
    }
    const int before = failures, compared = comparisons;
    check_without_vectors();
    printf("without vectors: %d comparisons, %d failed\n", comparisons - compared, failures - before);
    return failures > 0;
}
