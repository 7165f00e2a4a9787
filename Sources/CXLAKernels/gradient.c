#include "CKernels.h"
#include "CXLAKernels.h"
#include "ffi.h"
#include "parts.h"

/// Inputs of one part. Each part evaluates all of `y` anew, so few would be dear; more leave threads idle.
enum { PART = 32 };

typedef struct {
    ck_conv conv;
    const float *x, *y;
    float *weight;
    size_t batch, rows, width;
} gradient;

static bool run(const void *context, size_t part) {
    const gradient *const g = context;
    const size_t first = part * g->width, end = first + g->width < g->conv.inputs ? first + g->width : g->conv.inputs;
    float *const scratch = xk_scratch(ck_conv_gradient_scratch(&g->conv, end - first) * sizeof(float));
    if (!scratch) return false;
    ck_conv_gradient(&g->conv, g->x, g->y, g->batch, g->rows, first, end, scratch, g->weight);
    return true;
}

static ffi_error *differentiate(ffi_call *call) {
    if (ffi_answers_metadata(call) || call->stage != FFI_EXECUTE) return NULL;
    const ffi_buffer *const x = ffi_buffer_at(&call->operands, 0, FFI_F32, 3);
    const ffi_buffer *const y = ffi_buffer_at(&call->operands, 1, FFI_F32, 3);
    const ffi_buffer *const w = ffi_buffer_at(&call->results, 0, FFI_F32, 3);
    const int64_t dilation = ffi_integer(call, "dilation", 0);
    if (!x || !w || !y || dilation < 1)
        return ffi_fail(call, FFI_INVALID_ARGUMENT, "a convolution's operands are not as its kernel expects");
    gradient g = {
        .conv = xk_conv(w->dimensions, dilation),
        .x = x->data, .y = y->data, .weight = w->data, .batch = (size_t)y->dimensions[0], .rows = (size_t)y->dimensions[1]};
    if (ck_conv_gradient_scratch(&g.conv, 1) == 0 || x->dimensions[2] != w->dimensions[1]
        || y->dimensions[2] != w->dimensions[2] || x->dimensions[0] != y->dimensions[0]
        || x->dimensions[1] != y->dimensions[1] + (w->dimensions[0] - 1) * dilation)
        return ffi_fail(call, FFI_INVALID_ARGUMENT, "a convolution's shapes do not fit one another");
    g.width = g.conv.inputs >= 2 * PART ? PART : (g.conv.inputs + 1) / 2;
    if (g.conv.block_rows > 0 && g.rows > 0) {
        ck_conv part = g.conv;
        part.inputs = g.width;
        g.conv.block_rows = xk_block_rows(&part, g.rows);
    }
    return ffi_share_last(call, (g.conv.inputs + g.width - 1) / g.width, run, &g, sizeof g);
}

void *xk_convolution_gradient(void) { return (void *)differentiate; }
