/// `CKernels` as custom calls for XLA's CPU backend.
///
/// Each function returns a handler: an `XLA_FFI_Handler`, to be registered with a plugin's FFI extension for platform `Host`.
#ifndef CXLAKERNELS_H
#define CXLAKERNELS_H

#ifdef __cplusplus
extern "C" {
#endif

/// Weights as `xk_convolution` takes them, whatever its dilation: once for all calls that have them.
///
/// - Operand: w `[taps, inputs, outputs]`, f32.
/// - Result: u8 `[n]`, `ck_conv_packed_size` + 64 bytes.
void *xk_pack(void);

/// A convolution over time: a fast one (`ck_conv.block_rows`) for 5 to 8 taps.
///
/// - Operands: x `[batch, rows + (taps - 1) · dilation, inputs]`, f32; what `xk_pack` made of the weights.
/// - Result: y `[batch, rows, outputs]` f32.
/// - Attributes: `dilation` and `taps`, i64.
void *xk_convolution(void);

/// The gradient of such a convolution by its weights (`ck_conv_gradient`), likewise.
///
/// - Operands: x as above, y `[batch, rows, outputs]`, f32.
/// - Result: w `[taps, inputs, outputs]` f32.
/// - Attributes: `dilation`, i64.
void *xk_convolution_gradient(void);

/// A sum over all rows, or of the products of two arrays: XLA's own is computed by one thread.
///
/// - Operands: x `[rows, channels]` f32; or two of them.
/// - Results: y `[channels]` f32; `[parts, channels]` f32, memory to work in, whose size says in how many parts rows are summed.
void *xk_sum(void);

#ifdef __cplusplus
}
#endif
#endif
