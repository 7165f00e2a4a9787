// The kernels over one instruction set's vectors: its file includes these after `simd/NAME.h` and defines its table.
#include "../packing.h"
#include "../table.h"
#include <math.h>

#include "functions.h"
#include "elementwise.h"
#include "rows.h"
#include "columns.h"
#include "attention.h"
#include "epilogue.h"
#include "conv.h"
#include "gradient.h"

#define CK_TABLE \
    { \
        .conv = conv, .pack_fast = pack_fast, .conv_gradient = conv_gradient, .snake = snake, .activate = activate, \
        .bf16_from_f32 = bf16_from_f32, .quantize_rows = quantize_rows, .rms_norm = rms_norm, .attention = attention, \
        .sum_rows = sum_rows, \
    }
