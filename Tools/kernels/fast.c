// Fast convolutions with their definition, summed in double precision, and cut into parts.
#include "check.h"

/// What the elements that no one may touch hold.
static const float UNTOUCHED = 77;

typedef struct {
    ck_conv conv;
    size_t rows;
    float *x, *weight, *residual;
    size_t x_stride, y_stride;
    void *packed;
    /// Without where its results go.
    ck_epilogue epilogue;
    /// The residual is what is in `y` before.
    bool in_place, wants_y;
} fast;

/// `y` and then `activated`, in one array; what the epilogue leaves out stays untouched.
static float *run(const fast *c, size_t split_rows, size_t split_outputs) {
    const size_t outputs = c->conv.outputs, count = c->rows * c->y_stride, scratch = ck_conv_scratch(&c->conv);
    float *const results = malloc(2 * count * sizeof(float));
    // No result may come from what is in the scratch memory before, and what is after it is another thread's.
    float *const memory = aligned_alloc(64, (scratch + 16) * sizeof(float) / 64 * 64 + 64);
    for (size_t i = 0; i < 2 * count; i++) results[i] = UNTOUCHED;
    for (size_t i = 0; i < scratch; i++) memory[i] = NAN;
    for (size_t i = 0; i < 16; i++) memory[scratch + i] = UNTOUCHED;
    ck_epilogue e = c->epilogue;
    e.y = c->wants_y ? results : NULL;
    e.activated = results + count;
    e.y_stride = e.activated_stride = e.residual_stride = c->y_stride;
    e.residual = e.residual ? c->residual : NULL;
    if (c->in_place) {
        for (size_t row = 0; row < c->rows; row++)
            memcpy(results + row * c->y_stride, c->residual + row * c->y_stride, outputs * sizeof(float));
        e.residual = results;
    }
    const ck_input x = {c->x, c->x_stride, NULL};
    for (size_t row = 0; row < c->rows; row += split_rows)
        for (size_t o = 0; o < outputs; o += split_outputs) {
            const ck_part part = {
                row, row + split_rows < c->rows ? row + split_rows : c->rows, o,
                o + split_outputs < outputs ? o + split_outputs : outputs, memory};
            ck_conv_run(&c->conv, c->packed, &x, &e, &part);
        }
    bool kept = true;
    for (size_t i = 0; i < 16; i++) kept &= memory[scratch + i] == UNTOUCHED;
    for (size_t row = 0; row < 2 * c->rows; row++)
        for (size_t o = row < c->rows && !c->wants_y ? 0 : outputs; o < c->y_stride; o++)
            kept &= results[row * c->y_stride + o] == UNTOUCHED;
    expect(kept, "a fast convolution stays in its memory");
    free(memory);
    return results;
}

static double activate(ck_activation activation, double x) {
    switch (activation) {
    case CK_GELU: return x * (0.5 + 0.5 * erf(x * sqrt(0.5)));
    case CK_SILU: return x / (1 + exp(-x));
    default: return x;
    }
}

/// Sets `y` and `activated` of one output to what they are of a sum.
static void finish(const fast *c, size_t row, size_t o, double sum, double *y, double *activated) {
    const ck_epilogue *const e = &c->epilogue;
    double v = activate(e->activation, sum + (e->bias ? e->bias[o] : 0));
    if (e->scale) v *= e->scale[o];
    if (e->residual) v += c->residual[row * c->y_stride + o];
    *y = v;
    const double sine = e->alpha ? sin((double)e->alpha[o] * v) : 0;
    *activated = e->alpha ? v + sine * sine * e->inverse[o] : v;
}

static float rounded(float a) {
    uint16_t half;
    float result;
    ck_bf16_from_f32(&a, 1, &half);
    widen(&half, 1, &result);
    return result;
}

/// Compares `y` and `activated` with the definition.
///
/// A tile's results have 2.4 times the error of direct sums in f32 (see kernels/fast.h), as the root of the mean square, so 4
/// times it must do; and one result, 8 times that: there are thousands, and the last of a tile are worse than the first.
/// - least: what is allowed beside it, for the rounding of few sums and the epilogue's functions.
static void compare_with_definition(
    const char *name, const fast *c, const float *results, double least)
{
    const ck_conv *const conv = &c->conv;
    double direct = 0, got = 0, greatest = 0;
    for (size_t row = 0; row < c->rows; row++)
        for (size_t o = 0; o < conv->outputs; o++) {
            double sum = 0;
            float chain = 0;
            for (size_t k = 0; k < conv->taps; k++)
                for (size_t i = 0; i < conv->inputs; i++) {
                    const float a = c->x[(row + k * conv->dilation) * c->x_stride + i];
                    const float w = c->weight[(k * conv->inputs + i) * conv->outputs + o];
                    sum += (double)a * w;
                    chain += conv->type == CK_BF16 ? rounded(a) * rounded(w) : a * w;
                }
            double wanted[2], plain[2];
            finish(c, row, o, sum, wanted, wanted + 1);
            finish(c, row, o, chain, plain, plain + 1);
            for (size_t i = c->wants_y ? 0 : 1; i < 2; i++) {
                const double error = results[(i * c->rows + row) * c->y_stride + o] - wanted[i];
                direct += pow(plain[i] - wanted[i], 2);
                got += error * error;
                greatest = fmax(greatest, isnan(error) ? INFINITY : fabs(error));
            }
        }
    const double count = (double)(c->rows * conv->outputs * (c->wants_y ? 2 : 1));
    direct = sqrt(direct / count);
    got = sqrt(got / count);
    const double bound = 4 * direct + least;
    if (!(got <= bound && greatest <= 8 * bound))
        fail("%s: errors of %g, at most %g, where direct sums have %g", name, got, greatest, direct);
}

static void check_fast_convolution(ck_isa isa, ck_conv conv, size_t rows, size_t epilogue) {
    char name[128];
    snprintf(
        name, sizeof name, "fast convolution%s %zux%zux%zu, dilation %zu, %zu rows by %zu, epilogue %zu",
        conv.type == CK_BF16 ? " in bf16" : "", conv.taps, conv.inputs, conv.outputs, conv.dilation, rows, conv.block_rows, epilogue);
    const size_t outputs = conv.outputs, in_rows = rows + (conv.taps - 1) * conv.dilation;
    fast c = {.conv = conv, .rows = rows, .x_stride = conv.inputs + 2, .y_stride = outputs + 3, .wants_y = true};
    c.x = random_floats(in_rows * c.x_stride, 1);
    for (size_t row = 0; row < in_rows; row++) {
        c.x[row * c.x_stride + conv.inputs] = NAN;
        c.x[row * c.x_stride + conv.inputs + 1] = NAN;
    }
    c.weight = random_floats(conv.taps * conv.inputs * outputs, 0.2f);
    c.residual = random_floats(rows * c.y_stride, 1);
    float *const channels = random_floats(4 * outputs, 1);
    for (size_t o = 0; o < outputs; o++) {
        channels[2 * outputs + o] += 1.5f;
        channels[3 * outputs + o] = 1 / (channels[2 * outputs + o] + 1e-9f);
    }
    if (epilogue > 0) c.epilogue.bias = channels;
    if (epilogue == 1) c.wants_y = false;
    if (epilogue == 2) c.in_place = true;
    if (epilogue >= 2) c.epilogue.residual = c.residual;
    if (epilogue == 1 || epilogue >= 3) {
        c.epilogue.alpha = channels + 2 * outputs;
        c.epilogue.inverse = channels + 3 * outputs;
    }
    if (epilogue >= 4) {
        c.epilogue.activation = (ck_activation)(epilogue - 4);
        c.epilogue.scale = channels + outputs;
    }
    // Snake is within 3e-7, the activations within 1e-6. Few values may all be badly rounded; results are about 1.
    const double least = conv.type == CK_BF16 ? 8e-3 : epilogue == 0 || epilogue == 2 ? 2e-7 : 1e-6;

    const size_t size = ck_conv_packed_size(&conv), blocks = conv.block_rows;
    void *const packed[] = {aligned_alloc(64, size), aligned_alloc(64, size), aligned_alloc(64, size)};
    ck_isa_use(CK_ISA_PORTABLE);
    expect(ck_conv_pack(&conv, c.weight, packed[0]), "portable packing");
    ck_isa_use(isa);
    expect(ck_conv_pack(&conv, c.weight, packed[1]), name);
    memset(packed[2], 0xff, size);
    for (size_t o = 0; o < outputs; o += CK_BLOCK)
        ck_conv_pack_outputs(&conv, c.weight, o, o + CK_BLOCK < outputs ? o + CK_BLOCK : outputs, packed[2]);
    compare_bytes("packed by slices", packed[2], packed[1], size);

    c.packed = packed[0];
    float *const of_portable = run(&c, rows, outputs);
    compare_with_definition(name, &c, of_portable, least);
    c.packed = packed[1];
    float *const whole = run(&c, rows, outputs);
    // Instructions for bf16 add up in another order than what stands for them elsewhere.
    if (conv.type == CK_F32) count_bits(whole, 2 * rows * c.y_stride);
    compare_with_definition(name, &c, whole, least);
    const size_t splits[][2] = {{blocks, outputs}, {2 * blocks, CK_BLOCK}, {blocks, 2 * CK_BLOCK}};
    for (size_t i = 0; i < 3; i++) {
        float *const parts = run(&c, splits[i][0], splits[i][1]);
        compare_bytes(name, parts, whole, 2 * rows * c.y_stride * sizeof(float));
        free(parts);
    }
    // A stream does not have what comes after the first block's inputs.
    if (rows > blocks) {
        for (size_t i = (blocks + (conv.taps - 1) * conv.dilation) * c.x_stride; i < in_rows * c.x_stride; i++) c.x[i] = NAN;
        c.rows = blocks;
        float *const one = run(&c, blocks, outputs);
        const size_t count = blocks * c.y_stride;
        compare_bytes("a block alone", one, whole, count * sizeof(float));
        compare_bytes("a block alone", one + count, whole + rows * c.y_stride, count * sizeof(float));
        free(one);
    }
    void *const all[] = {
        c.x, c.weight, c.residual, channels, packed[0], packed[1], packed[2], of_portable, whole};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

void check_fast_convolutions(ck_isa isa) {
    const size_t dilations[] = {1, 3, 9}, widths[][2] = {{1, 1}, {3, 5}, {17, 33}, {20, 50}, {5, 100}, {32, 64}, {37, 70}};
    const size_t rows[][2] = {{1, 1}, {3, 4}, {13, 13}, {24, 12}, {29, 12}, {62, 31}, {60, 100}, {75, 24}};
    enum { DILATIONS = 3, WIDTHS = 7, ROWS = 8, EPILOGUES = 7 };
    size_t n = 0;
    // Widths go round beside the loops and epilogues beside widths, so that each meets each in few cases.
    for (size_t taps = 5; taps <= 8; taps++)
        for (size_t d = 0; d < DILATIONS; d++)
            for (size_t r = 0; r < ROWS; r++, n++) {
                const size_t *const width = widths[n % WIDTHS];
                ck_conv conv = {taps, width[0], width[1], dilations[d], CK_F32, rows[r][1]};
                check_fast_convolution(isa, conv, rows[r][0], n / WIDTHS % EPILOGUES);
                conv.type = CK_BF16;
                conv.inputs += conv.inputs % 2;
                check_fast_convolution(isa, conv, rows[r][0], n / WIDTHS % EPILOGUES);
            }
}
