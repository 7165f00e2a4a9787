/// SIMD kernels for running a speech codec on a CPU.
///
/// Conventions that hold for every function, unless it says otherwise:
///
/// - **Layout.** Row-major `[time, channels]`, channels last. A *stride* is the number of elements (not bytes) from one
///   row to the next. Element types are f32, `uint16_t` holding bf16, and `uint8_t` holding quantised activations.
/// - **Alignment.** Packed weights begin on 64 bytes; everything else may have the alignment of its element.
/// - **Aliasing.** Results may be the same array as an operand with the same stride (in place), but not overlap it
///   otherwise. A convolution's results never alias its input or weights.
/// - **Bounds.** Nothing is read or written outside the rows and channels that the arguments name.
/// - **Threads.** Functions have no state beyond the choice of instruction set, allocate nothing and may run on any number
///   of threads at once. Work is split among threads by calling a function on parts of its rows (or output channels).
/// - **Determinism.** A row's result depends on that row's operands alone: not on how many rows one call computes, how they
///   are split, or their alignment. So a stream equals the whole, bit for bit. The AVX2, AVX-512 and NEON versions
///   of f32 kernels sum in the same order; the portable version has no fused multiply-add and differs in rounding.
/// - **Shapes** that break a stated precondition are a mistake of the caller, with undefined results.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// MARK: - Instruction sets

typedef enum {
    CK_ISA_PORTABLE = 0,
    CK_ISA_NEON = 1,
    /// AVX2, FMA, F16C.
    CK_ISA_AVX2 = 2,
    /// AVX-512 F, BW, DQ and VL.
    CK_ISA_AVX512F = 3,
    /// The same with BF16 and VNNI.
    CK_ISA_AVX512 = 4,
} ck_isa;

/// Whether this CPU and operating system can run an instruction set that this build has.
bool ck_isa_available(ck_isa isa);

/// The instruction set in use on this thread. That is the one that the environment variable ALLOPHONE_NATIVE_ISA names
/// (portable, neon, avx2, avx512f, avx512) when the first kernel runs, if it is available, else the best that is.
ck_isa ck_isa_current(void);

/// Uses another instruction set on this thread from now on; for tests and measurements. Packed weights stay valid.
/// - Returns: false, and changes nothing, if it is not available.
bool ck_isa_use(ck_isa isa);

/// `portable`, `neon`, `avx2`, `avx512f` or `avx512`.
const char *ck_isa_name(ck_isa isa);

// MARK: - Memory

/// Memory for weights, aligned to 64 bytes, on huge pages where the system has them: a model's weights are more than the
/// caches hold, and without a miss of the address translation at every 4 KiB they stream from memory about twice as fast. So
/// keep a model's packed weights together in one allocation.
/// - Returns: NULL if there is not so much.
void *ck_allocate(size_t size);
void ck_free(void *memory);

// MARK: - Convolution and matrix product

typedef enum {
    CK_F32 = 0,
    /// Inputs and weights in bf16, sums in f32. Native where AVX512_BF16 is; elsewhere widened, and no faster than f32.
    CK_BF16 = 1,
    /// Weights in 8 bits with a scale for each output channel; inputs in 8 bits with a scale for each row
    /// (`ck_quantize_rows`); products summed exactly within a tap.
    CK_INT8 = 2,
    /// Weights in bf16, widened as they are read, all else in f32: of weights that are bf16's values the same results as `CK_F32`,
    /// bit for bit, from half the memory.
    CK_F32_BF16 = 3,
} ck_type;

/// A unit-stride convolution over time; one tap makes it a matrix product.
///
///     y[t, o] = Σ_k Σ_i x[t + k · dilation, i] · w[k, i, o]
///
/// The caller gives the left context as rows before the chunk, so causality is where `x` points. A strided convolution is
/// this over blocks of rows (`inputs` = stride · channels, reshaped), a transposed one is this to stride · channels, with bias
/// and Snake's parameters repeated for each of the stride's rows. Groups are one call each, on columns of `x` and `y`.
typedef struct {
    size_t taps;
    /// Even for `CK_BF16`, a multiple of 4 for `CK_INT8`.
    size_t inputs;
    size_t outputs;
    size_t dilation;
    /// Of the packed weights and the input; that of a fast convolution is f32.
    ck_type type;
    /// Rows in a block of the fast convolution; 0 for the direct one. The fast one is for 5 to 8 taps in f32 or bf16, and takes 13
    /// multiplications where 7 taps take 28, but needs more weights (1.9 times) and `scratch`, and its blocks' last tiles are
    /// computed whole: it wins from about `8 · dilation` rows and 32 channels on. See kernels/fast.h.
    ///
    /// A row's result then depends on its block's operands alone: on the rows that its taps read and on the block's other
    /// rows, through rounding. So a stream equals the whole if both are cut into the same blocks.
    size_t block_rows;
} ck_conv;

/// Output channels are computed in blocks of so many; in f32 so few are dot products, as a block would be mostly zeros.
enum { CK_BLOCK = 32, CK_FEW_OUTPUTS = 4 };
/// Fast convolutions compute so many rows of a phase of the dilation together, from products at so many points.
enum { CK_FAST_TILE = 4, CK_FAST_POINTS = 7 };

/// Bytes of the packed weights; 0 if `inputs` does not suit the type, or the convolution is no fast one but is to be.
size_t ck_conv_packed_size(const ck_conv *conv);

/// Lays out weights for `ck_conv_run`: in blocks of `CK_BLOCK` outputs, the same for all instruction sets.
///
/// - weight: `[taps, inputs, outputs]` f32. Not finite weights are kept but by int8, which refuses them.
/// - packed: `ck_conv_packed_size` bytes, aligned to 64.
/// - Returns: false if `inputs` does not suit the type, or a weight that is to become int8 is not finite.
bool ck_conv_pack(const ck_conv *conv, const float *weight, void *packed);

/// The part of `ck_conv_pack` for outputs `first ..< end`, for fast convolutions: so threads can share the work.
/// - first, end: multiples of `CK_BLOCK`, but that `end` may be `outputs`.
void ck_conv_pack_outputs(const ck_conv *conv, const float *weight, size_t first, size_t end, void *packed);

/// Floats of memory that each thread needs for `ck_conv_run`; 0 for a direct convolution.
size_t ck_conv_scratch(const ck_conv *conv);

typedef enum { CK_IDENTITY = 0, CK_GELU = 1, CK_SILU = 2 } ck_activation;

/// What is done with the sums before they are stored, in this order; zeros and NULL leave a step out.
///
///     y = activation(sum + bias) · scale + residual,   activated = snake(y)
typedef struct {
    /// `[outputs]`.
    const float *bias;
    ck_activation activation;
    /// `[outputs]`: a LayerScale.
    const float *scale;
    /// `[rows, outputs]`; may be `y`.
    const float *residual;
    size_t residual_stride;
    /// `[rows, outputs]`, or NULL if only the activated result is wanted.
    float *y;
    size_t y_stride;
    /// `[rows, outputs]` f32 or bf16: Snake of the result, or the plain result where `alpha` is NULL; NULL for none. Not `y`.
    void *activated;
    size_t activated_stride;
    /// `CK_F32` or `CK_BF16`.
    ck_type activated_type;
    /// `[outputs]`: Snake's frequencies α, and 1 / (α + 10⁻⁹).
    const float *alpha, *inverse;
} ck_epilogue;

/// The input of a convolution.
typedef struct {
    /// `[rows + (taps - 1) · dilation, inputs]`: f32, bf16, or u8 with 128 for zero, as the convolution's type says. Its row 0
    /// is what the first tap of output row 0 reads.
    const void *rows;
    size_t stride;
    /// `[rows + (taps - 1) · dilation]`: the rows' scales; only for `CK_INT8`.
    const float *scales;
} ck_input;

/// Output rows and channels to compute, as halves of a split: all pointers stay those of the whole.
typedef struct {
    /// In a fast convolution multiples of its `block_rows`, but that `end_row` may be the last.
    size_t first_row, end_row;
    /// Multiples of `CK_BLOCK`, but that `end_output` may be `outputs`.
    size_t first_output, end_output;
    /// `ck_conv_scratch` floats, aligned to 64 bytes, that no other thread uses meanwhile; NULL if that is 0.
    float *scratch;
} ck_part;

/// Runs a convolution. Cost is dominated by arithmetic for many rows, by reading the weights once for few.
void ck_conv_run(
    const ck_conv *conv, const void *packed, const ck_input *x, const ck_epilogue *epilogue, const ck_part *part);

/// The gradient of a convolution in f32 by its weights, given that by its results:
///
///     w[k, i, o] = Σ_b Σ_t x[b, t + k · dilation, i] · y[b, t, o]
///
/// - x: `[batch, rows + (taps - 1) · dilation, inputs]`.
/// - y: `[batch, rows, outputs]`.
/// - first_input, end_input: the inputs whose weights are computed, as a part for one thread.
/// - scratch: `ck_conv_gradient_scratch` floats, aligned to 64 bytes, that no other thread uses meanwhile.
/// - weight: `[taps, inputs, outputs]`.
void ck_conv_gradient(
    const ck_conv *conv, const float *x, const float *y, size_t batch, size_t rows, size_t first_input, size_t end_input,
    float *scratch, float *weight);

/// Floats of memory that `ck_conv_gradient` needs for a part of `inputs`; 0 if it cannot compute this convolution's.
size_t ck_conv_gradient_scratch(const ck_conv *conv, size_t inputs);

// MARK: - Activations

/// `y = x + sin²(αx) · inverse` by channel, with `inverse = 1 / (α + 10⁻⁹)`. sin² is a polynomial within 3·10⁻⁷.
///
/// - y: `[rows, channels]`.
void ck_snake(
    const float *x, size_t x_stride, const float *alpha, const float *inverse, size_t rows, size_t channels,
    float *y, size_t y_stride);

/// `y[i] = activation(x[i])`; GELU by the error function's rational approximation, within 10⁻⁶.
void ck_activate(ck_activation activation, const float *x, size_t count, float *y);

/// `sum[c] = Σ_row x[row, c]`, or `Σ_row x[row, c] · y[row, c]` unless `y` is NULL: eight rows pairwise, those sums one by one.
/// - x, y: `[rows, channels]`, without gaps.
void ck_sum_rows(const float *x, const float *y, size_t rows, size_t channels, float *sum);

// MARK: - Types

/// To bf16, to nearest even; NaN stays NaN. A denormal may become zero, as it does in the CPU's bf16 products.
void ck_bf16_from_f32(const float *x, size_t count, uint16_t *y);

/// Rows for a `CK_INT8` convolution: `x ≈ (y - 128) · scale`, with `scale = max |x| / 127` of the row.
///
/// A row that holds anything not finite gets a NaN scale, so that its results are NaN.
///
/// - y: u8 `[rows, channels]`. scales: `[rows]`.
void ck_quantize_rows(
    const float *x, size_t x_stride, size_t rows, size_t channels, uint8_t *y, size_t y_stride, float *scales);

// MARK: - Norms and attention

/// `y = x / √(mean(x²) + ε) · scale` over channels. scale: `[channels]`, or NULL.
/// - y: `[rows, channels]`.
void ck_rms_norm(
    const float *x, size_t x_stride, const float *scale, float epsilon, size_t rows, size_t channels, float *y,
    size_t y_stride);

/// Causal attention with a window of the past.
typedef struct {
    /// Query heads, and key and value heads, which divide them.
    size_t heads, shared_heads;
    /// Channels of a query or key of one head, and of a value.
    size_t width, value_width;
    /// Keys that a query sees at most, its own included.
    size_t window;
    /// `[window, width / 2]`: cos and sin of a distance (key `a` rows before the query: row `a`) times each frequency;
    /// NULL for no positions. Rotating by the distance, and not by positions, makes a row's result the same in any chunk.
    const float *cosines, *sines;
} ck_attention;

/// `y[i] = Σ_j softmax_j(R(i - j) q[i] · k[j] / √width) · v[j]` over the keys that exist in the window that ends at `i`.
///
/// Keys and values are in a ring: the key of query `i` is in slot `(first_slot + i) % slots`, those before it in the slots
/// before. Linear memory is a ring that does not wrap.
///
/// - q: `[rows, heads · width]`. keys: `[slots, shared_heads · width]`. values: `[slots, shared_heads · value_width]`.
/// - existing: keys that exist before the first query; the window reaches no further. `existing + rows <= slots`.
/// - scratch: `ck_attention_scratch` floats for each thread.
/// - y: `[rows, heads · value_width]`.
void ck_attention_run(
    const ck_attention *attention, const float *q, size_t q_stride, const float *keys, size_t key_stride,
    const float *values, size_t value_stride, size_t slots, size_t first_slot, size_t existing, size_t rows,
    float *scratch, float *y, size_t y_stride);

size_t ck_attention_scratch(const ck_attention *attention);

// MARK: - Denormal numbers

/// From now on, denormal operands and results are zero in the calling thread: arithmetic on them is a hundred times slower
/// than on others, and a signal that dies away is full of them.
/// - Returns: how it was before, for `ck_restore_denormals`.
uint64_t ck_flush_denormals(void);
void ck_restore_denormals(uint64_t before);

#ifdef __cplusplus
}
#endif
#endif
