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
        .conv = conv, .pack_fast = pack_fast, .snake = snake, .activate = activate, .add = add, .multiply = multiply, \
        .scale = scale, .conv_gradient = conv_gradient, \
        .bf16_from_f32 = bf16_from_f32, .f32_from_bf16 = f32_from_bf16, .quantize_rows = quantize_rows, \
        .rms_norm = rms_norm, .softmax = softmax, .rope = rope, .attention = attention, .normalize = normalize, \
        .nearest = nearest, .signs = signs, .sum_rows = sum_rows, \
    }
