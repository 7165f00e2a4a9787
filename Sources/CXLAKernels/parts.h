// How kernels cut their work.
#ifndef PARTS_H
#define PARTS_H

#include "CKernels.h"
#include "ffi.h"

/// The convolution that has weights of this shape, `[taps, inputs, outputs]`: a fast one, in blocks yet to be chosen, if its taps
/// allow. `Kernels.Call` in Swift reckons with the same choice when it asks for memory.
ck_conv xk_conv(const int64_t *shape, int64_t dilation);

/// Memory of this thread's own, kept until it ends; NULL if there is not so much.
float *xk_scratch(size_t size);

/// Rows of a fast convolution's block: as many tiles as stay near, in equal blocks.
size_t xk_block_rows(const ck_conv *conv, size_t rows);

#endif
