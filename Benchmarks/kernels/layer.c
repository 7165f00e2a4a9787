#include "layer.h"
#include <stdlib.h>
#include <string.h>

typedef struct { layer *layers; size_t count; } list;

static void add(list *to, const char *name, size_t taps, size_t inputs, size_t outputs, size_t dilation, size_t rows,
                bool residual, bool snake) {
    to->layers[to->count++] = (layer){
        .name = name, .conv = {taps, inputs, outputs, dilation, CK_F32}, .rows_per_frame = rows, .residual = residual,
        .snake = snake};
}

static void add_units(list *to, size_t channels, size_t rows) {
    static const size_t dilations[] = {1, 3, 9};
    for (int i = 0; i < 3; i++) {
        add(to, "dilated", 7, channels, channels, dilations[i], rows, false, true);
        add(to, "pointwise", 1, channels, channels, 1, rows, true, true);
    }
}

size_t reference_codec(layer *layers) {
    static const size_t strides[] = {2, 4, 6, 10};
    list all = {layers, 0};
    size_t channels = 32, rows = 480;
    add(&all, "stem", 7, 1, channels, 1, rows, false, true);
    for (int i = 0; i < 4; i++) {
        add_units(&all, channels, rows);
        rows /= strides[i];
        add(&all, "down", 2, channels * strides[i], channels * 2, 1, rows, false, true);
        channels *= 2;
    }
    add(&all, "head", 3, channels, 256, 1, rows, false, false);
    add(&all, "stem", 7, 256, channels, 1, rows, false, true);
    for (int i = 3; i >= 0; i--) {
        channels /= 2;
        add(&all, "up", 2, channels * 2, channels * strides[i], 1, rows, false, true);
        rows *= strides[i];
        add_units(&all, channels, rows);
    }
    add(&all, "head", 7, channels, 1, 1, rows, false, false);
    return all.count;
}

static void *allocate(size_t size) {
    void *const memory = aligned_alloc(64, (size + 64) / 64 * 64);
    memset(memory, 0, size);
    return memory;
}

static float *noise(size_t count, float bound) {
    static uint32_t state = 1;
    float *const x = allocate(count * sizeof(float));
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = ((float)(state >> 8) / (1 << 23) - 1) * bound;
    }
    return x;
}

static size_t input_rows(const layer *l) { return l->rows + (l->conv.taps - 1) * l->conv.dilation; }

size_t weights_size(layer *l, ck_type type) {
    l->conv.type = l->conv.inputs == 1 || l->conv.outputs == 1 ? CK_F32 : type;
    return (ck_conv_packed_size(&l->conv) + 63) / 64 * 64;
}

void prepare(layer *l, size_t frames, void *weights, const working_memory *buffers) {
    ck_conv *const conv = &l->conv;
    l->rows = l->rows_per_frame * frames;
    float *const weight = noise(conv->taps * conv->inputs * conv->outputs, 0.05f);
    l->packed = weights;
    ck_conv_pack(conv, weight, l->packed);
    free(weight);
    l->buffers = *buffers;
    ck_quantize_rows(
        buffers->x, conv->inputs, input_rows(l), conv->inputs, buffers->bytes, conv->inputs, buffers->scales);
    l->channels = noise(3 * conv->outputs, 0.1f);
    for (size_t o = 0; o < conv->outputs; o++) {
        l->channels[conv->outputs + o] += 1;
        l->channels[2 * conv->outputs + o] = 1 / l->channels[conv->outputs + o];
    }
}

void discard(layer *l) { free(l->channels); }

working_memory allocate_buffers(const layer *layers, size_t count, size_t frames) {
    size_t most = 0;
    for (size_t i = 0; i < count; i++) {
        const ck_conv *const conv = &layers[i].conv;
        const size_t rows = layers[i].rows_per_frame * frames, before = (conv->taps - 1) * conv->dilation;
        const size_t inputs = (rows + before) * conv->inputs, outputs = rows * conv->outputs;
        if (inputs > most) most = inputs;
        if (outputs > most) most = outputs;
    }
    working_memory m = {
        noise(most, 1), noise(most, 1), noise(most, 1), allocate(most * sizeof(uint16_t)), allocate(most),
        allocate(most * sizeof(float))};
    ck_bf16_from_f32(m.x, most, m.halves);
    return m;
}

void free_buffers(working_memory *m) {
    void *const all[] = {m->x, m->y, m->activated, m->halves, m->bytes, m->scales};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

void run(const layer *l, size_t first, size_t end) {
    const ck_conv *const conv = &l->conv;
    const size_t outputs = conv->outputs, inputs = conv->inputs;
    ck_input x = {l->buffers.x, inputs, l->buffers.scales};
    if (conv->type == CK_BF16) x.rows = l->buffers.halves;
    if (conv->type == CK_INT8) {
        x.rows = l->buffers.bytes;
        const size_t before = input_rows(l) - l->rows + first;
        ck_quantize_rows(
            l->buffers.x + before * inputs, inputs, end - first, inputs, l->buffers.bytes + before * inputs, inputs, l->buffers.scales + before);
    }
    ck_epilogue e = {.bias = l->channels};
    if (l->residual || !l->snake) {
        e.y = l->buffers.y;
        e.y_stride = outputs;
    }
    if (l->residual) {
        // Not in place, or each run would add to the last one's sum until Snake's angle has no digits.
        e.residual = l->buffers.x;
        e.residual_stride = inputs;
    }
    if (l->snake) {
        e.activated = l->buffers.activated;
        e.activated_stride = outputs;
        e.activated_type = conv->type == CK_BF16 ? CK_BF16 : CK_F32;
        e.alpha = l->channels + outputs;
        e.inverse = l->channels + 2 * outputs;
    }
    const ck_part part = {first, end, 0, outputs};
    ck_conv_run(conv, l->packed, &x, &e, &part);
}

double operations(const layer *l) {
    return 2.0 * (double)(l->conv.taps * l->conv.inputs * l->conv.outputs) * (double)l->rows;
}
