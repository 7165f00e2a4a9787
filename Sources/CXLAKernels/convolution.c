#include "CKernels.h"
#include "CXLAKernels.h"
#include "ffi.h"
#include "parts.h"

/// Rows of a direct convolution's block.
enum { DIRECT_ROWS = 120 };

typedef struct {
    ck_conv conv;
    const float *weight;
    void *packed;
} packing;

typedef struct {
    ck_conv conv;
    const float *x;
    const void *packed;
    float *y;
    size_t batch, rows, block_rows, blocks;
    /// Blocks of CK_BLOCK outputs that one part computes.
    size_t width, slices;
} convolution;

static size_t columns_of(const ck_conv *conv) { return (conv->outputs + CK_BLOCK - 1) / CK_BLOCK; }

static ck_part outputs_of(const ck_conv *conv, size_t slice, size_t width) {
    const size_t first = slice * width * CK_BLOCK, end = first + width * CK_BLOCK;
    return (ck_part){.first_output = first, .end_output = end < conv->outputs ? end : conv->outputs};
}

/// Packed weights in a buffer that has room to begin at a whole cache line; NULL if it is too small.
static void *packed_in(const ffi_buffer *memory, const ck_conv *conv) {
    const size_t size = ck_conv_packed_size(conv);
    if (size == 0 || (size_t)memory->dimensions[0] < size + 64) return NULL;
    return (void *)(((uintptr_t)memory->data + 63) / 64 * 64);
}

static bool pack_slice(const void *context, size_t slice) {
    const packing *const p = context;
    if (p->conv.block_rows == 0) return ck_conv_pack(&p->conv, p->weight, p->packed);
    const ck_part part = outputs_of(&p->conv, slice, 1);
    ck_conv_pack_outputs(&p->conv, p->weight, part.first_output, part.end_output, p->packed);
    return true;
}

static ffi_error *pack(ffi_call *call) {
    if (ffi_answers_metadata(call) || call->stage != FFI_EXECUTE) return NULL;
    const ffi_buffer *const w = ffi_buffer_at(&call->operands, 0, FFI_F32, 3);
    const ffi_buffer *const memory = ffi_buffer_at(&call->results, 0, FFI_U8, 1);
    if (!w || !memory) return ffi_fail(call, FFI_INVALID_ARGUMENT, "weights are not as their kernel expects");
    packing p = {.conv = xk_conv(w->dimensions, 1), .weight = w->data};
    p.packed = packed_in(memory, &p.conv);
    if (!p.packed) return ffi_fail(call, FFI_INVALID_ARGUMENT, "there is no room for a convolution's weights");
    return ffi_share_last(call, p.conv.block_rows > 0 ? columns_of(&p.conv) : 1, pack_slice, &p, sizeof p);
}

static bool run(const void *context, size_t index) {
    const convolution *const c = context;
    const ck_conv *const conv = &c->conv;
    const size_t slice = index % c->slices, block = index / c->slices % c->blocks, row = index / c->slices / c->blocks;
    ck_part part = outputs_of(conv, slice, c->width);
    part.first_row = block * c->block_rows;
    part.end_row = part.first_row + c->block_rows < c->rows ? part.first_row + c->block_rows : c->rows;
    const size_t scratch = ck_conv_scratch(conv) * sizeof(float);
    part.scratch = scratch > 0 ? xk_scratch(scratch) : NULL;
    if (scratch > 0 && !part.scratch) return false;
    const ck_input x = {
        c->x + row * (c->rows + (conv->taps - 1) * conv->dilation) * conv->inputs, conv->inputs, NULL};
    const ck_epilogue epilogue = {.y = c->y + row * c->rows * conv->outputs, .y_stride = conv->outputs};
    ck_conv_run(conv, c->packed, &x, &epilogue, &part);
    return true;
}

static ffi_error *convolve(ffi_call *call) {
    if (ffi_answers_metadata(call) || call->stage != FFI_EXECUTE) return NULL;
    const ffi_buffer *const x = ffi_buffer_at(&call->operands, 0, FFI_F32, 3);
    const ffi_buffer *const weights = ffi_buffer_at(&call->operands, 1, FFI_U8, 1);
    const ffi_buffer *const y = ffi_buffer_at(&call->results, 0, FFI_F32, 3);
    const int64_t dilation = ffi_integer(call, "dilation", 0), taps = ffi_integer(call, "taps", 0);
    if (!x || !weights || !y || dilation < 1 || taps < 1)
        return ffi_fail(call, FFI_INVALID_ARGUMENT, "a convolution's operands are not as its kernel expects");
    const int64_t shape[] = {taps, x->dimensions[2], y->dimensions[2]};
    convolution c = {
        .conv = xk_conv(shape, dilation), .x = x->data, .y = y->data, .batch = (size_t)y->dimensions[0],
        .rows = (size_t)y->dimensions[1]};
    c.packed = packed_in(weights, &c.conv);
    if (!c.packed || x->dimensions[0] != y->dimensions[0] || x->dimensions[1] != y->dimensions[1] + (taps - 1) * dilation)
        return ffi_fail(call, FFI_INVALID_ARGUMENT, "a convolution's shapes do not fit one another");
    if (c.batch == 0 || c.rows == 0) return NULL;
    c.block_rows = c.conv.block_rows > 0 ? xk_block_rows(&c.conv, c.rows) : DIRECT_ROWS;
    if (c.conv.block_rows > 0) c.conv.block_rows = c.block_rows;
    c.blocks = (c.rows + c.block_rows - 1) / c.block_rows;
    // Every slice of outputs transforms the inputs anew, so outputs are split only where there are few blocks.
    const bool is_whole = c.batch * c.blocks > 3;
    c.width = is_whole ? columns_of(&c.conv) : 1;
    c.slices = is_whole ? 1 : columns_of(&c.conv);
    return ffi_share_last(call, c.batch * c.blocks * c.slices, run, &c, sizeof c);
}

void *xk_pack(void) { return (void *)pack; }
void *xk_convolution(void) { return (void *)convolve; }
