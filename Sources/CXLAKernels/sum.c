#include "CKernels.h"
#include "CXLAKernels.h"
#include "ffi.h"

typedef struct {
    const float *x, *y;
    float *partial;
    size_t rows, channels, part_rows;
} sum;

static bool run(const void *context, size_t part) {
    const sum *const s = context;
    const size_t first = part * s->part_rows, left = first < s->rows ? s->rows - first : 0;
    const size_t at = left > 0 ? first * s->channels : 0;
    ck_sum_rows(
        s->x + at, s->y ? s->y + at : NULL, left < s->part_rows ? left : s->part_rows, s->channels,
        s->partial + part * s->channels);
    return true;
}

static ffi_error *add_up(ffi_call *call) {
    if (ffi_answers_metadata(call) || call->stage != FFI_EXECUTE) return NULL;
    const ffi_buffer *const x = ffi_buffer_at(&call->operands, 0, FFI_F32, 2);
    const ffi_buffer *const y = call->operands.count > 1 ? ffi_buffer_at(&call->operands, 1, FFI_F32, 2) : x;
    const ffi_buffer *const total = ffi_buffer_at(&call->results, 0, FFI_F32, 1);
    const ffi_buffer *const partial = ffi_buffer_at(&call->results, 1, FFI_F32, 2);
    if (!x || !y || !total || !partial || partial->dimensions[0] < 1 || total->dimensions[0] != x->dimensions[1]
        || partial->dimensions[1] != x->dimensions[1] || y->dimensions[0] != x->dimensions[0]
        || y->dimensions[1] != x->dimensions[1])
        return ffi_fail(call, FFI_INVALID_ARGUMENT, "a sum's operands are not as its kernel expects");
    const size_t parts = (size_t)partial->dimensions[0];
    sum s = {
        .x = x->data, .y = call->operands.count > 1 ? y->data : NULL, .partial = partial->data,
        .rows = (size_t)x->dimensions[0], .channels = (size_t)x->dimensions[1]};
    s.part_rows = (s.rows + parts - 1) / parts;
    ffi_error *const error = ffi_share(call, parts, run, &s);
    if (error) return error;
    ck_sum_rows(s.partial, NULL, parts, s.channels, total->data);
    return NULL;
}

void *xk_sum(void) { return (void *)add_up; }
