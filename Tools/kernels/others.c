// Activations, types, norms and attention with the portable ones.
#include "check.h"

/// The kernels over `channels`, one after the other, into one array.
static size_t others(size_t rows, size_t channels, const float *x, const float *parameters, float *results) {
    const size_t count = rows * channels;
    float *to = results;
    uint16_t *const halves = calloc(count, sizeof(uint16_t));
    uint8_t *const bytes = malloc(count);
    ck_snake(x, channels, parameters, parameters + channels, rows, channels, to, channels);
    to += count;
    for (int activation = CK_IDENTITY; activation <= CK_SILU; activation++, to += count)
        ck_activate(activation, x, count, to);
    ck_rms_norm(x, channels, parameters, 1e-6f, rows, channels, to, channels);
    to += count;
    ck_rms_norm(x, channels, NULL, 1e-6f, rows, channels, to, channels);
    to += count;
    ck_bf16_from_f32(x, count, halves);
    widen(halves, count, to);
    to += count;
    ck_quantize_rows(x, channels, rows, channels, bytes, channels, to);
    to += rows;
    for (size_t i = 0; i < count; i++) *to++ = (float)bytes[i] / 100;
    free(halves);
    free(bytes);
    return (size_t)(to - results);
}

static void check_channels(ck_isa isa, size_t channels) {
    const size_t rows = 5, count = rows * channels;
    float *const x = random_floats(count, 8), *const parameters = random_floats(2 * channels, 1);
    float *const wanted = calloc(24 * count, sizeof(float)), *const got = calloc(24 * count, sizeof(float));
    if (channels > 3) {
        x[0] = INFINITY;
        x[channels] = NAN;
        x[2 * channels] = 1e7f;
        x[2 * channels + 1] = 1e-40f;
        x[2 * channels + 2] = -90;
    }
    ck_isa_use(CK_ISA_PORTABLE);
    const size_t length = others(rows, channels, x, parameters, wanted);
    ck_isa_use(isa);
    others(rows, channels, x, parameters, got);
    char name[64];
    snprintf(name, sizeof name, "kernels of %zu channels", channels);
    // A value in the middle of two bf16 falls to either side.
    compare(name, got, wanted, length, 4e-3f);
    void *const all[] = {x, parameters, wanted, got};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static void check_attention(ck_isa isa, ck_attention shape, size_t existing, bool positions) {
    const size_t rows = 6, slots = existing + rows + 3, width = shape.heads * shape.width;
    const size_t key_width = shape.shared_heads * shape.width, value_width = shape.shared_heads * shape.value_width;
    const size_t y_width = shape.heads * shape.value_width;
    float *const q = random_floats(rows * width, 2), *const keys = random_floats(slots * key_width, 2);
    float *const values = random_floats(slots * value_width, 2);
    float *const turns = random_floats(shape.window * shape.width, 1);
    float *const scratch = calloc(ck_attention_scratch(&shape), sizeof(float));
    float *const y[3] = {calloc(rows * y_width, 4), calloc(rows * y_width, 4), calloc(rows * y_width, 4)};
    if (positions) {
        shape.cosines = turns;
        shape.sines = turns + shape.window * shape.width / 2;
    }
    ck_isa_use(CK_ISA_PORTABLE);
    for (int i = 0; i < 2; i++) {
        ck_attention_run(&shape, q, width, keys, key_width, values, value_width, slots, slots - 2, existing, rows, scratch,
                         y[i], y_width);
        ck_isa_use(isa);
    }
    for (size_t row = 0; row < rows; row++)
        ck_attention_run(&shape, q + row * width, width, keys, key_width, values, value_width, slots,
                         (slots - 2 + row) % slots, existing + row, 1, scratch, y[2] + row * y_width, y_width);
    compare("attention", y[1], y[0], rows * y_width, 1e-5f);
    compare_bytes("attention by row", y[2], y[1], rows * y_width * sizeof(float));
    void *const all[] = {q, keys, values, turns, scratch, y[0], y[1], y[2]};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static void check_sums(ck_isa isa, size_t rows, size_t channels) {
    float *const x = random_floats(rows * channels, 1), *const y = random_floats(rows * channels, 1);
    float *const wanted = calloc(2 * channels, sizeof(float)), *const got = calloc(2 * channels, sizeof(float));
    for (size_t c = 0; c < channels; c++) {
        double sums[2] = {0, 0};
        for (size_t at = c; at < rows * channels; at += channels) {
            sums[0] += x[at];
            sums[1] += (double)x[at] * y[at];
        }
        wanted[c] = (float)sums[0];
        wanted[channels + c] = (float)sums[1];
    }
    ck_isa_use(isa);
    ck_sum_rows(x, NULL, rows, channels, got);
    ck_sum_rows(x, y, rows, channels, got + channels);
    compare("sums over rows", got, wanted, 2 * channels, 2e-5f);
    void *const all[] = {x, y, wanted, got};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

void check_others(ck_isa isa) {
    check_sums(isa, 5, 3);
    check_sums(isa, 8, 16);
    check_sums(isa, 91, 45);

    for (size_t channels = 1; channels <= 40; channels++) check_channels(isa, channels);
    check_attention(isa, (ck_attention){8, 8, 32, 32, 10, NULL, NULL}, 20, true);
    check_attention(isa, (ck_attention){4, 2, 20, 7, 9, NULL, NULL}, 0, true);
    check_attention(isa, (ck_attention){6, 2, 20, 33, 9, NULL, NULL}, 4, false);
}

void check_without_vectors(void) {
    volatile float denormal = 1e-40f, one = 1;
    const uint64_t before = ck_flush_denormals();
    const float flushed = denormal * one;
    ck_restore_denormals(before);
    const float kept = denormal * one;
    expect(flushed == 0, "denormals are flushed");
    expect(kept == denormal && kept > 0, "denormals are back");

    const size_t size = ((size_t)3 << 20) + 1;
    char *const memory = ck_allocate(size);
    expect(memory && (uintptr_t)memory % 64 == 0, "memory is aligned");
    if (memory) memset(memory, 1, size);
    ck_free(memory);
}
