// Fast convolution of up to 8 taps (Toom and Cook's algorithm; for networks: Lavin and Gray, 2015, arXiv:1509.09308).
//
// Four outputs of four taps are a product of polynomials: evaluated at seven points, multiplied point by point, interpolated, they
// take 7 multiplications instead of 16. Seven taps are two such groups, and the second group's inputs are the next tile's first
// group's: each tile of inputs is transformed once, and at each point the rest is a convolution of two taps over tiles, for which
// the direct kernels serve. With the points 0, ±1, ±2, 1/3 and ∞ the error is 2.4 times the direct sum's.
//
// A dilation is so many sequences side by side: tile `n` of phase `p` is row `n · dilation + p` of the transformed inputs.
//
// In bf16 the values at the points are what is rounded, of weights and of f32 inputs: products of both are 10 dB further from the
// exact sum than the direct ones for noise, 5 dB for what is smooth, as values at the points are larger than what they cancel to.

/// Values of the polynomial with four taps as its coefficients, divided by what interpolation there divides by.
INLINE void evaluate_taps(const vec w[CK_FAST_TILE], vec values[CK_FAST_POINTS]) {
    const vec two = v_set(2), four = v_set(4), third = v_set(1.f / 3), ninth = v_set(1.f / 9);
    const vec even1 = v_add(w[0], w[2]), odd1 = v_add(w[1], w[3]);
    const vec even2 = v_fma(four, w[2], w[0]), odd2 = v_fma(four, w[3], w[1]);
    values[0] = v_mul(v_set(-3.f / 4), w[0]);
    values[1] = v_mul(v_set(-1.f / 4), v_add(even1, odd1));
    values[2] = v_mul(v_set(1.f / 8), v_sub(even1, odd1));
    values[3] = v_mul(v_set(1.f / 40), v_fma(two, odd2, even2));
    values[4] = v_mul(v_set(-1.f / 56), v_fnma(two, odd2, even2));
    values[5] = v_mul(v_set(243.f / 280), v_fma(third, v_fma(ninth, w[3], w[1]), v_fma(ninth, w[2], w[0])));
    values[6] = w[3];
}

/// Puts sixteen outputs' values into a block of packed weights, of `row`, the input among those of all groups.
INLINE void put_weights(ck_type type, void *block, size_t row, size_t half, vec values) {
    if (type == CK_F32) return v_store((float *)block + row * CK_BLOCK + half, values);
    uint16_t rounded[16];
    v_store_bf16(rounded, values);
    uint16_t *const pairs = (uint16_t *)block + (row / 2 * CK_BLOCK + half) * 2 + row % 2;
    UNROLL
    for (size_t o = 0; o < 16; o++) pairs[2 * o] = rounded[o];
}

/// Evaluates each group of four taps at all points. A training step packs all its weights anew, which may be more than the caches
/// hold, so they are read once.
INLINE void pack_fast_as(
    ck_type type, const ck_conv *conv, const float *weight, size_t first, size_t end, char *packed)
{
    const size_t outputs = conv->outputs, step = conv->inputs * outputs;
    const size_t size = fast_value_size(type);
    char *planes[CK_FAST_POINTS];
    size_t block_sizes[CK_FAST_POINTS];
    for (size_t p = 0; p < CK_FAST_POINTS; p++) {
        const ck_conv part = fast_part(conv, p);
        planes[p] = packed + fast_offset(conv, p) * size;
        block_sizes[p] = conv_block_size(&part) * size;
    }
    for (size_t group = 0; group < 2; group++) {
        const size_t taps = least(CK_FAST_TILE, conv->taps - CK_FAST_TILE * group);
        const size_t points = group < fast_part(conv, CK_FAST_POINTS - 1).taps ? CK_FAST_POINTS : CK_FAST_POINTS - 1;
        for (size_t i = 0; i < conv->inputs; i++) {
            const float *const from = weight + CK_FAST_TILE * group * step + i * outputs;
            for (size_t o = first; o < end; o += CK_BLOCK) {
                const size_t at = o / CK_BLOCK, row = group * conv->inputs + i;
                for (size_t half = 0; half < CK_BLOCK; half += 16) {
                    const size_t n = o + half < outputs ? least(16, outputs - o - half) : 0;
                    vec w[CK_FAST_TILE];
                    vec values[CK_FAST_POINTS];
                    UNROLL
                    for (size_t k = 0; k < CK_FAST_TILE; k++)
                        w[k] = k < taps && n > 0 ? v_get(from + k * step + o + half, n) : v_zero();
                    evaluate_taps(w, values);
                    UNROLL
                    for (size_t p = 0; p < CK_FAST_POINTS; p++)
                        if (p < points) put_weights(type, planes[p] + at * block_sizes[p], row, half, values[p]);
                }
            }
        }
    }
}

static void pack_fast(const ck_conv *conv, const float *weight, size_t first, size_t end, void *packed) {
    if (conv->type == CK_F32)
        pack_fast_as(CK_F32, conv, weight, first, end, packed);
    else
        pack_fast_as(CK_BF16, conv, weight, first, end, packed);
}

/// Where tiles' values at the points go, f32 or bf16: a row for each tile, `plane` values from one point to the next.
typedef struct {
    void *start;
    size_t plane;
    /// Rows are of two tiles, the one and that which the second tap reads, `dilation` tiles later, so that rows of another block
    /// may come next.
    bool pairs;
} fast_rows;

/// Evaluates tiles of seven inputs at the points.
///
/// - rows: input rows that exist. What lies after them counts as zero.
INLINE void fast_inputs_as(
    ck_type type, const ck_conv *conv, const float *x, size_t stride, size_t rows, size_t tiles, const float *zeros,
    const fast_rows *result)
{
    const size_t d = conv->dilation, width = (result->pairs ? 2 : 1) * conv->inputs;
    const vec third = v_set(1.f / 3), two = v_set(2), four = v_set(4), five = v_set(5);
    for (size_t tile = 0; tile < tiles; tile++) {
        const size_t first = tile / d * CK_FAST_TILE * d + tile % d;
        const float *from[CK_FAST_POINTS];
        for (size_t j = 0; j < CK_FAST_POINTS; j++) from[j] = first + j * d < rows ? x + (first + j * d) * stride : zeros;
        const bool begins = !result->pairs || tile + d < tiles, ends = result->pairs && tile >= d;
        EACH_VECTOR(conv->inputs, {
            vec a[CK_FAST_POINTS];
            UNROLL
            for (size_t j = 0; j < CK_FAST_POINTS; j++) a[j] = v_get(from[j] + c, n);
            // Without the root 1/3, which all points but that share.
            vec u[CK_FAST_POINTS - 1];
            UNROLL
            for (size_t j = 0; j < CK_FAST_POINTS - 1; j++) u[j] = v_fnma(third, a[j], a[j + 1]);
            const vec even1 = v_fnma(four, u[2], u[4]), odd1 = v_fnma(four, u[1], u[3]);
            const vec even2 = v_sub(u[4], u[2]), odd2 = v_sub(u[3], u[1]);
            const vec values[CK_FAST_POINTS] = {
                v_fma(four, u[0], v_fnma(five, u[2], u[4])), v_add(even1, odd1), v_sub(even1, odd1),
                v_fma(two, odd2, even2), v_fnma(two, odd2, even2), v_fma(four, a[1], v_fnma(five, a[3], a[5])),
                v_fma(four, u[1], v_fnma(five, u[3], u[5]))};
            if (begins)
                UNROLL
                for (size_t p = 0; p < CK_FAST_POINTS; p++)
                    v_put_as(type, result->start, p * result->plane + tile * width + c, values[p], n);
            if (ends)
                UNROLL
                for (size_t p = 0; p < CK_FAST_POINTS; p++)
                    v_put_as(
                        type, result->start, p * result->plane + (tile - d) * width + conv->inputs + c, values[p], n);
        });
    }
}

static void fast_inputs(
    const ck_conv *conv, const float *x, size_t stride, size_t rows, size_t tiles, const float *zeros,
    const fast_rows *result)
{
    if (conv->type == CK_F32)
        fast_inputs_as(CK_F32, conv, x, stride, rows, tiles, zeros, result);
    else
        fast_inputs_as(CK_BF16, conv, x, stride, rows, tiles, zeros, result);
}

/// Four outputs from their values at the points.
INLINE void interpolate(const vec m[CK_FAST_POINTS], vec y[CK_FAST_TILE]) {
    const vec sum1 = v_add(m[1], m[2]), sum2 = v_add(m[3], m[4]);
    const vec difference1 = v_sub(m[1], m[2]), difference2 = v_sub(m[3], m[4]);
    y[0] = v_add(v_add(m[0], m[5]), v_add(sum1, sum2));
    y[1] = v_fma(v_set(1.f / 3), m[5], v_fma(v_set(2), difference2, difference1));
    y[2] = v_fma(v_set(1.f / 9), m[5], v_fma(v_set(4), sum2, sum1));
    y[3] = v_add(v_fma(v_set(1.f / 27), m[5], v_fma(v_set(8), difference2, difference1)), m[6]);
}

/// `fast_together` blocks or fewer, from `row` on.
static void fast_blocks(
    const ck_conv *conv, const char *packed, const ck_input *x, const ck_epilogue *e, const ck_part *part, size_t row,
    size_t rows)
{
    const bool pairs = fast_together(conv) > 1;
    const size_t size = fast_value_size(conv->type), d = conv->dilation;
    const size_t height = conv->block_rows, block_tiles = fast_tiles(conv, height), last = (rows - 1) / height;
    const size_t tiles = last * block_tiles + fast_tiles(conv, rows - last * height);
    const size_t width = conv_blocks(conv) * CK_BLOCK, sums_plane = tiles * width;
    const size_t stride = (pairs ? 2 : 1) * conv->inputs, inputs_plane = (pairs ? tiles : tiles + d) * stride;
    float *const sums = part->scratch, *const zeros = sums + CK_FAST_POINTS * sums_plane;
    char *const inputs = (char *)(zeros + conv->inputs);
    memset(zeros, 0, conv->inputs * sizeof(float));
    for (size_t b = 0; b <= last; b++) {
        const size_t count = least(height, rows - b * height);
        const fast_rows result = {inputs + b * block_tiles * stride * size, inputs_plane, pairs};
        fast_inputs(
            conv, (const float *)x->rows + (row + b * height) * x->stride, x->stride, count + (conv->taps - 1) * d,
            fast_tiles(conv, count) + d, zeros, &result);
    }
    for (size_t p = 0; p < CK_FAST_POINTS; p++) {
        ck_conv point = fast_part(conv, p);
        const size_t packed_size = conv_blocks(&point) * conv_block_size(&point) * size;
        if (pairs) {
            point.inputs *= point.taps;
            point.taps = 1;
        }
        const ck_input tiles_at_point = {inputs + p * inputs_plane * size, stride, NULL};
        conv_sums(
            &point, packed, &tiles_at_point, tiles, part->first_output, part->end_output, sums + p * sums_plane, width);
        packed += packed_size;
    }
    for (size_t tile = 0; tile < tiles; tile++) {
        const size_t block = tile / block_tiles, at = tile % block_tiles;
        const size_t first = at / d * CK_FAST_TILE * d + at % d, count = least(height, rows - block * height);
        const float *const from = sums + tile * width + part->first_output;
        EACH_VECTOR(part->end_output - part->first_output, {
            const size_t output = part->first_output + c;
            const channel_parameters parameters = parameters_at(e, output, n);
            vec m[CK_FAST_POINTS];
            vec y[CK_FAST_TILE];
            UNROLL
            for (size_t p = 0; p < CK_FAST_POINTS; p++) m[p] = v_load(from + p * sums_plane + c);
            interpolate(m, y);
            UNROLL
            for (size_t i = 0; i < CK_FAST_TILE; i++)
                if (first + i * d < count)
                    finish_vector(e, &parameters, y[i], row + block * height + first + i * d, output, n);
        });
    }
}

static void conv_fast(
    const ck_conv *conv, const void *packed, const ck_input *x, const ck_epilogue *e, const ck_part *part)
{
    const size_t rows = conv->block_rows * fast_together(conv);
    for (size_t row = part->first_row; row < part->end_row; row += rows)
        fast_blocks(conv, packed, x, e, part, row, least(rows, part->end_row - row));
}
