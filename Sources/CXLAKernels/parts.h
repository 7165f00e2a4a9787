// How kernels cut their work.
#ifndef PARTS_H
#define PARTS_H

#include "CKernels.h"

/// Memory of this thread's own, kept until it ends; NULL if there is not so much.
float *xk_scratch(size_t size);

/// Rows of a fast convolution's block: as many tiles as stay near, in equal blocks.
size_t xk_block_rows(const ck_conv *conv, size_t rows);

#endif
