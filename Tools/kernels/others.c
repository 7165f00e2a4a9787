// Activations, types, norms, attention and quantizers with the portable ones.
#include "check.h"

/// The kernels over `channels`, one after the other, into one array.
static size_t others(size_t rows, size_t channels, const float *x, const float *parameters, float *results) {
    const size_t count = rows * channels;
    float *to = results;
    uint16_t *const halves = calloc(count, sizeof(uint16_t));
    uint8_t *const bytes = malloc(count);
    ck_snake(x, channels, parameters, parameters + channels, rows, channels, to, channels, CK_F32);
    to += count;
    ck_snake(x, channels, parameters, parameters + channels, rows, channels, halves, channels, CK_BF16);
    ck_f32_from_bf16(halves, count, to);
    to += count;
    for (int activation = CK_IDENTITY; activation <= CK_SILU; activation++, to += count)
        ck_activate(activation, x, count, to);
    ck_add(x, to - count, count, to);
    to += count;
    ck_multiply(x, to - count, count, to);
    to += count;
    ck_scale(x, channels, parameters, x, channels, rows, channels, to, channels);
    to += count;
    ck_scale(x, channels, parameters, NULL, 0, rows, channels, to, channels);
    to += count;
    ck_rms_norm(x, channels, parameters, 1e-6f, rows, channels, to, channels, CK_F32);
    to += count;
    ck_rms_norm(x, channels, NULL, 1e-6f, rows, channels, halves, channels, CK_BF16);
    ck_f32_from_bf16(halves, count, to);
    to += count;
    ck_softmax(x, channels, rows, channels, to, channels);
    to += count;
    ck_normalize(x, channels, rows, channels, to, channels);
    to += count;
    ck_bf16_from_f32(x, count, halves);
    ck_f32_from_bf16(halves, count, to);
    to += count;
    ck_quantize_rows(x, channels, rows, channels, bytes, channels, to);
    to += rows;
    for (size_t i = 0; i < count; i++) *to++ = (float)bytes[i] / 100;
    int32_t *const codes = malloc(count * sizeof(int32_t));
    ck_signs(x, count, 0.25f, codes, to);
    to += count;
    for (size_t i = 0; i < count; i++) *to++ = (float)codes[i];
    free(codes);
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

static void check_nearest(ck_isa isa, size_t width) {
    enum { ROWS = 20, ENTRIES = 64 };
    float *const x = random_floats(ROWS * width, 1), *const entries = random_floats(ENTRIES * width, 1);
    // Equal entries: the first must win.
    memcpy(entries + 40 * width, entries + 3 * width, width * sizeof(float));
    memcpy(x, entries + 3 * width, width * sizeof(float));
    ck_isa_use(CK_ISA_PORTABLE);
    ck_normalize(x, width, ROWS, width, x, width);
    ck_normalize(entries, width, ENTRIES, width, entries, width);
    int32_t wanted[ROWS], got[ROWS];
    ck_nearest(x, width, entries, ENTRIES, width, ROWS, wanted);
    ck_isa_use(isa);
    ck_nearest(x, width, entries, ENTRIES, width, ROWS, got);
    compare_bytes("nearest", got, wanted, sizeof wanted);
    expect(got[0] == 3, "nearest gives the first of equals");
    free(x);
    free(entries);
}

static void check_rope(ck_isa isa, size_t heads, size_t width) {
    enum { ROWS = 5 };
    const size_t stride = heads * width + 1, half = width / 2, size = ROWS * stride * sizeof(float);
    float *const x = random_floats(ROWS * stride, 2), *const angles = random_floats(ROWS * half, 3);
    float *const wanted = malloc(size), *const got = calloc(1, size);
    float *const cosines = malloc(2 * ROWS * half * sizeof(float)), *const sines = cosines + ROWS * half;
    memcpy(wanted, x, size);
    for (size_t row = 0; row < ROWS; row++)
        for (size_t i = 0; i < half; i++) {
            cosines[row * half + i] = cosf(angles[row * half + i]);
            sines[row * half + i] = sinf(angles[row * half + i]);
            for (size_t head = 0; head < heads; head++) {
                const size_t at = row * stride + head * width + i;
                const double c = cosines[row * half + i], s = sines[row * half + i], a = x[at], b = x[at + half];
                wanted[at] = (float)(a * c - b * s);
                wanted[at + half] = (float)(a * s + b * c);
            }
        }
    ck_isa_use(isa);
    ck_rope(x, stride, cosines, sines, ROWS, heads, width, got, stride);
    ck_rope(x, stride, cosines, sines, ROWS, heads, width, x, stride);
    for (size_t row = 0; row < ROWS; row++) got[row * stride + heads * width] = x[row * stride + heads * width];
    compare("rope", got, wanted, ROWS * stride, 1e-6f);
    compare_bytes("rope in place", x, got, size);
    void *const all[] = {x, angles, wanted, got, cosines};
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
    check_rope(isa, 3, 6);
    check_rope(isa, 2, 32);
    check_rope(isa, 1, 70);
    check_nearest(isa, 8);
    check_nearest(isa, 19);
}

void check_without_vectors(void) {
    for (size_t count = 1; count <= 40; count++) {
        int32_t codes[40], got[40];
        uint8_t bytes[5] = {0xff, 0xff, 0xff, 0xff, 0xff}, wanted[5] = {0, 0, 0, 0, 0};
        for (size_t i = 0; i < count; i++) {
            codes[i] = i % 3 == 0;
            wanted[i / 8] |= (uint8_t)(codes[i] << i % 8);
        }
        ck_pack_bits(codes, count, bytes);
        ck_unpack_bits(bytes, count, got);
        compare_bytes("packed bits", bytes, wanted, (count + 7) / 8);
        compare_bytes("unpacked bits", got, codes, count * sizeof(int32_t));
    }

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
