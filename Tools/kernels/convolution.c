// Direct convolutions with the portable ones, in every type, and cut into parts.
#include "check.h"

typedef struct {
    ck_conv conv;
    ck_input x;
    void *packed;
    ck_epilogue epilogue;
    size_t rows;
} convolution;

static void run(const convolution *c, float *y, void *activated, size_t split_rows, size_t split_outputs) {
    const size_t outputs = c->conv.outputs;
    ck_epilogue e = c->epilogue;
    e.y = y;
    e.activated = activated;
    e.y_stride = e.activated_stride = outputs;
    for (size_t row = 0; row < c->rows; row += split_rows)
        for (size_t o = 0; o < outputs; o += split_outputs) {
            const ck_part part = {
                row, row + split_rows < c->rows ? row + split_rows : c->rows, o,
                o + split_outputs < outputs ? o + split_outputs : outputs, NULL};
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
    const void *const inputs[] = {[CK_F32] = x, [CK_BF16] = halves, [CK_INT8] = bytes, [CK_F32_BF16] = x};
    convolution c = {
        .conv = conv, .rows = rows,
        .x = {inputs[conv.type], conv.inputs, scales},
        .packed = aligned_alloc(64, (ck_conv_packed_size(&conv) + 63) / 64 * 64),
        .epilogue = {
            .bias = channels, .activation = activation, .scale = channels + conv.outputs, .residual = residual,
            .residual_stride = conv.outputs, .alpha = channels + 2 * conv.outputs, .inverse = channels + 3 * conv.outputs},
    };
    expect(ck_conv_pack(&conv, weight, c.packed), name);
    float *results[4];
    for (int i = 0; i < 4; i++) results[i] = calloc(2 * out_count, sizeof(float));
    run(&c, results[0], results[0] + out_count, rows, conv.outputs);
    ck_isa_use(isa);
    run(&c, results[1], results[1] + out_count, rows, conv.outputs);
    compare(name, results[1], results[0], 2 * out_count, 2e-5f);
    if (conv.type == CK_F32) count_bits(results[1], 2 * out_count);
    run(&c, results[2], results[2] + out_count, 1, CK_BLOCK);
    compare_bytes(name, results[2], results[1], 2 * out_count * sizeof(float));
    run(&c, results[3], results[3] + out_count, 7, 2 * CK_BLOCK);
    compare_bytes(name, results[3], results[1], 2 * out_count * sizeof(float));
    // Without `y`, and the activated result in bf16.
    uint16_t *const activated = malloc(2 * out_count * sizeof(uint16_t)), *const wanted = activated + out_count;
    c.epilogue.activated_type = CK_BF16;
    run(&c, NULL, activated, rows, conv.outputs);
    ck_bf16_from_f32(results[1] + out_count, out_count, wanted);
    compare_bytes(name, activated, wanted, out_count * sizeof(uint16_t));
    for (int i = 0; i < 4; i++) free(results[i]);
    void *const all[] = {weight, x, residual, channels, halves, bytes, scales, activated, c.packed};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

void check_convolutions(ck_isa isa) {
    const size_t outputs[] = {1, 3, 5, 16, 32, 33, 64, 100, 200};
    for (int type = CK_F32; type <= CK_F32_BF16; type++)
        for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++)
            for (size_t rows = 1; rows <= 40; rows += rows < 14 ? 1 : 13) {
                const size_t inputs = type == CK_F32 || type == CK_F32_BF16 ? 1 + rows % 20 : 4 * (1 + rows % 5);
                check_convolution(isa, (ck_conv){1 + rows % 3, inputs, outputs[i], 1 + rows % 2, type, 0}, rows, 0);
            }
    for (int activation = CK_GELU; activation <= CK_SILU; activation++)
        check_convolution(isa, (ck_conv){1, 64, 40, 1, CK_F32, 0}, 3, activation);
    check_convolution(isa, (ck_conv){7, 32, 1, 1, CK_F32, 0}, 50, 0);
    check_convolution(isa, (ck_conv){7, 1, 32, 1, CK_F32, 0}, 50, 0);
}
