#include "CKernels.h"
#include "CXLAKernels.h"
#include "ffi.h"
#include "parts.h"

/// Rows of a direct convolution's block.
enum { DIRECT_ROWS = 120 };

typedef struct {
    ck_conv conv;
    const float *x, *weight;
    float *y;
    void *packed;
    size_t batch, rows, block_rows, blocks;
    /// Blocks of CK_BLOCK outputs that one part packs or computes.
    size_t width, slices;
} convolution;

static ck_part outputs_of(const convolution *c, size_t slice) {
    const size_t first = slice * c->width * CK_BLOCK, end = first + c->width * CK_BLOCK;
    return (ck_part){.first_output = first, .end_output = end < c->conv.outputs ? end : c->conv.outputs};
}

static bool pack(const void *context, size_t slice) {
    const convolution *const c = context;
    if (c->conv.block_rows == 0) return ck_conv_pack(&c->conv, c->weight, c->packed);
    const ck_part part = outputs_of(c, slice);
    ck_conv_pack_outputs(&c->conv, c->weight, part.first_output, part.end_output, c->packed);
    return true;
}

static bool run(const void *context, size_t index) {
    const convolution *const c = context;
    const ck_conv *const conv = &c->conv;
    const size_t slice = index % c->slices, block = index / c->slices % c->blocks, row = index / c->slices / c->blocks;
    ck_part part = outputs_of(c, slice);
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
    const ffi_buffer *const w = ffi_buffer_at(&call->operands, 1, FFI_F32, 3);
    const ffi_buffer *const y = ffi_buffer_at(&call->results, 0, FFI_F32, 3);
    const ffi_buffer *const memory = ffi_buffer_at(&call->results, 1, FFI_U8, 1);
    const int64_t dilation = ffi_integer(call, "dilation", 0);
    if (!x || !w || !y || !memory || dilation < 1)
        return ffi_fail(call, FFI_INVALID_ARGUMENT, "a convolution's operands are not as its kernel expects");
    convolution c = {
        .conv = xk_conv(w, dilation),
        .x = x->data, .weight = w->data, .y = y->data, .batch = (size_t)y->dimensions[0], .rows = (size_t)y->dimensions[1],
        .packed = (void *)(((uintptr_t)memory->data + 63) / 64 * 64)};
    const size_t size = ck_conv_packed_size(&c.conv);
    if (size == 0 || (size_t)memory->dimensions[0] < size + 64 || x->dimensions[2] != w->dimensions[1]
        || y->dimensions[2] != w->dimensions[2] || x->dimensions[0] != y->dimensions[0]
        || x->dimensions[1] != y->dimensions[1] + (w->dimensions[0] - 1) * dilation)
        return ffi_fail(call, FFI_INVALID_ARGUMENT, "a convolution's shapes do not fit one another");
    if (c.batch == 0 || c.rows == 0) return NULL;
    c.block_rows = c.conv.block_rows > 0 ? xk_block_rows(&c.conv, c.rows) : DIRECT_ROWS;
    if (c.conv.block_rows > 0) c.conv.block_rows = c.block_rows;
    c.blocks = (c.rows + c.block_rows - 1) / c.block_rows;
    const size_t columns = (c.conv.outputs + CK_BLOCK - 1) / CK_BLOCK;
    c.width = 1;
    c.slices = columns;
    ffi_error *const error = ffi_share(call, c.conv.block_rows > 0 ? c.slices : 1, pack, &c);
    if (error) return error;
    // Every slice of outputs transforms the inputs anew, so outputs are split only where there are few blocks.
    if (c.batch * c.blocks > 3) {
        c.width = columns;
        c.slices = 1;
    }
    return ffi_share_last(call, c.batch * c.blocks * c.slices, run, &c, sizeof c);
}

void *xk_convolution(void) { return (void *)convolve; }
