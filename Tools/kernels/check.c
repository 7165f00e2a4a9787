// Compares every kernel on every instruction set of this CPU with the portable one, and results of split calls with those of
// whole ones, bit for bit. For where Swift's tests do not run: under an emulator.
#include "CKernels.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures, comparisons;

static uint32_t state = 1;
static float uniform(void) {
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / (1 << 23) - 1;
}
static float *random_floats(size_t count, float bound) {
    float *const x = malloc((count + 1) * sizeof(float));
    for (size_t i = 0; i < count; i++) x[i] = uniform() * bound;
    return x;
}

static void compare(const char *what, const float *got, const float *wanted, size_t count, float tolerance) {
    comparisons++;
    for (size_t i = 0; i < count; i++) {
        const bool same = got[i] == wanted[i] || (isnan(got[i]) && isnan(wanted[i]));
        if (same || fabsf(got[i] - wanted[i]) <= tolerance * (1 + fabsf(wanted[i]))) continue;
        printf("%s on %s: %g, not %g, at %zu of %zu\n", what, ck_isa_name(ck_isa_current()), (double)got[i],
               (double)wanted[i], i, count);
        failures++;
        return;
    }
}

static void compare_bytes(const char *what, const void *got, const void *wanted, size_t size) {
    comparisons++;
    if (memcmp(got, wanted, size) == 0) return;
    printf("%s on %s: not the same bits\n", what, ck_isa_name(ck_isa_current()));
    failures++;
}

// MARK: - Convolution

typedef struct {
    ck_conv conv;
    ck_input x;
    void *packed;
    ck_epilogue epilogue;
    size_t rows;
} convolution;

static void run(const convolution *c, float *y, float *activated, size_t split_rows, size_t split_outputs) {
    const size_t outputs = c->conv.outputs;
    ck_epilogue e = c->epilogue;
    e.y = y;
    e.activated = activated;
    e.y_stride = e.activated_stride = outputs;
    for (size_t row = 0; row < c->rows; row += split_rows)
        for (size_t o = 0; o < outputs; o += split_outputs) {
            const ck_part part = {
                row, row + split_rows < c->rows ? row + split_rows : c->rows, o,
                o + split_outputs < outputs ? o + split_outputs : outputs};
            ck_conv_run(&c->conv, c->packed, &c->x, &e, &part);
        }
}

static void check_convolution(ck_isa isa, ck_conv conv, size_t rows, ck_activation activation) {
    char name[128];
    snprintf(name, sizeof name, "convolution %zux%zux%zu, dilation %zu, %zu rows, type %d, activation %d", conv.taps,
             conv.inputs, conv.outputs, conv.dilation, rows, conv.type, activation);
    const size_t in_rows = rows + (conv.taps - 1) * conv.dilation, in_count = in_rows * conv.inputs;
    const size_t out_count = rows * conv.outputs;
    float *const weight = random_floats(conv.taps * conv.inputs * conv.outputs, 0.2f);
    float *const x = random_floats(in_count, 1), *const residual = random_floats(out_count, 1);
    float *const channels = random_floats(4 * conv.outputs, 1);
    for (size_t o = 0; o < conv.outputs; o++) {
        channels[2 * conv.outputs + o] += 1.5f;
        channels[3 * conv.outputs + o] = 1 / (channels[2 * conv.outputs + o] + 1e-9f);
    }
    uint16_t *const halves = malloc(in_count * sizeof(uint16_t));
    uint8_t *const bytes = malloc(in_count);
    float *const scales = malloc(in_rows * sizeof(float));
    ck_isa_use(CK_ISA_PORTABLE);
    ck_bf16_from_f32(x, in_count, halves);
    ck_quantize_rows(x, conv.inputs, in_rows, conv.inputs, bytes, conv.inputs, scales);
    convolution c = {
        .conv = conv, .rows = rows,
        .x = {conv.type == CK_F32 ? (void *)x : conv.type == CK_BF16 ? (void *)halves : (void *)bytes, conv.inputs, scales},
        .packed = aligned_alloc(64, (ck_conv_packed_size(&conv) + 63) / 64 * 64),
        .epilogue = {
            .bias = channels, .activation = activation, .scale = channels + conv.outputs, .residual = residual,
            .residual_stride = conv.outputs, .lower = -3, .upper = 3, .alpha = channels + 2 * conv.outputs,
            .inverse = channels + 3 * conv.outputs},
    };
    if (!ck_conv_pack(&conv, weight, c.packed)) {
        printf("%s: not packed\n", name);
        failures++;
    }
    float *results[4];
    for (int i = 0; i < 4; i++) results[i] = calloc(2 * out_count, sizeof(float));
    run(&c, results[0], results[0] + out_count, rows, conv.outputs);
    ck_isa_use(isa);
    run(&c, results[1], results[1] + out_count, rows, conv.outputs);
    compare(name, results[1], results[0], 2 * out_count, 2e-5f);
    run(&c, results[2], results[2] + out_count, 1, CK_BLOCK);
    compare_bytes(name, results[2], results[1], 2 * out_count * sizeof(float));
    run(&c, results[3], results[3] + out_count, 7, 2 * CK_BLOCK);
    compare_bytes(name, results[3], results[1], 2 * out_count * sizeof(float));
    for (int i = 0; i < 4; i++) free(results[i]);
    void *const all[] = {weight, x, residual, channels, halves, bytes, scales, c.packed};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static void check_convolutions(ck_isa isa) {
    const size_t outputs[] = {1, 3, 5, 16, 32, 33, 64, 100, 200};
    for (int type = CK_F32; type <= CK_INT8; type++)
        for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++)
            for (size_t rows = 1; rows <= 40; rows += rows < 14 ? 1 : 13) {
                const size_t inputs = type == CK_F32 ? 1 + rows % 20 : 4 * (1 + rows % 5);
                check_convolution(isa, (ck_conv){1 + rows % 3, inputs, outputs[i], 1 + rows % 2, type}, rows, 0);
            }
    for (int activation = CK_RELU; activation <= CK_SILU; activation++)
        check_convolution(isa, (ck_conv){1, 64, 40, 1, CK_F32}, 3, activation);
    check_convolution(isa, (ck_conv){7, 32, 1, 1, CK_F32}, 50, 0);
    check_convolution(isa, (ck_conv){7, 1, 32, 1, CK_F32}, 50, 0);
}

// MARK: - The rest

/// All other kernels over `channels`, one after the other, into one array.
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
    ck_rms_norm(x, channels, parameters, 1e-6f, rows, channels, to, channels, CK_F32);
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
    ck_signs(x, count, 0.25f, NULL, to);
    to += count;
    free(halves);
    free(bytes);
    return (size_t)(to - results);
}

static void check_others(ck_isa isa, size_t channels) {
    const size_t rows = 5, count = rows * channels;
    float *const x = random_floats(count, 8), *const parameters = random_floats(2 * channels, 1);
    float *const wanted = calloc(20 * count, sizeof(float)), *const got = calloc(20 * count, sizeof(float));
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

static void check_attention(ck_isa isa, ck_attention shape, size_t existing) {
    const size_t rows = 6, slots = existing + rows + 3, width = shape.heads * shape.width;
    const size_t key_width = shape.shared_heads * shape.width, value_width = shape.shared_heads * shape.value_width;
    const size_t y_width = shape.heads * shape.value_width;
    float *const q = random_floats(rows * width, 2), *const keys = random_floats(slots * key_width, 2);
    float *const values = random_floats(slots * value_width, 2);
    float *const turns = random_floats(shape.window * shape.width, 1);
    float *const scratch = calloc(ck_attention_scratch(&shape), sizeof(float));
    float *const y[3] = {calloc(rows * y_width, 4), calloc(rows * y_width, 4), calloc(rows * y_width, 4)};
    shape.cosines = turns;
    shape.sines = turns + shape.window * shape.width / 2;
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
    if (got[0] != 3) {
        printf("nearest on %s: entry %d, not the first of equals\n", ck_isa_name(isa), got[0]);
        failures++;
    }
    free(x);
    free(entries);
}

int main(void) {
    for (int isa = CK_ISA_PORTABLE; isa <= CK_ISA_AVX512; isa++) {
        if (!ck_isa_available((ck_isa)isa)) continue;
        const int before = failures, compared = comparisons;
        check_convolutions((ck_isa)isa);
        for (size_t channels = 1; channels <= 40; channels++) check_others((ck_isa)isa, channels);
        check_attention((ck_isa)isa, (ck_attention){8, 8, 32, 32, 10, NULL, NULL}, 20);
        check_attention((ck_isa)isa, (ck_attention){4, 2, 20, 7, 9, NULL, NULL}, 0);
        check_nearest((ck_isa)isa, 8);
        check_nearest((ck_isa)isa, 19);
        printf("%s: %d comparisons, %d failed\n", ck_isa_name((ck_isa)isa), comparisons - compared, failures - before);
    }
    return failures > 0;
}
