// The gradient of a convolution by its weights: for each tap a product of two matrices, summed over time.
//
// That of a fast convolution takes the tiles of `fast.h`: the weights' part in a tile's sum of products is its transpose, so
// four rows of `y` are evaluated at the points, and seven of `x` as there. At each point the rest is a product of two matrices
// summed over all tiles, and only the sums are taken back to taps.

enum { GRADIENT_ROWS = TILE_VECTORS / 2 < TILE_ROWS ? TILE_VECTORS / 2 : TILE_ROWS };

/// Evaluates tiles of four rows at the points: at each, blocks of CK_BLOCK outputs `[tiles, CK_BLOCK]`.
static void gradient_outputs(
    const ck_conv *conv, const float *y, size_t rows, size_t tiles, const float *zeros, float *result)
{
    const size_t d = conv->dilation, block = tiles * CK_BLOCK, plane = conv_blocks(conv) * block;
    const vec zero = v_zero(), two = v_set(2), four = v_set(4), third = v_set(1.f / 3), ninth = v_set(1.f / 9);
    for (size_t tile = 0; tile < tiles; tile++) {
        const size_t first = tile / d * CK_FAST_TILE * d + tile % d;
        const float *from[CK_FAST_TILE];
        for (size_t j = 0; j < CK_FAST_TILE; j++)
            from[j] = first + j * d < rows ? y + (first + j * d) * conv->outputs : zeros;
        for (size_t at = 0; at < conv_blocks(conv) * CK_BLOCK; at += 16) {
            float *const to = result + at / CK_BLOCK * block + tile * CK_BLOCK + at % CK_BLOCK;
            const size_t n = at < conv->outputs ? least(16, conv->outputs - at) : 0;
            vec a[CK_FAST_TILE];
            UNROLL
            for (size_t j = 0; j < CK_FAST_TILE; j++) a[j] = n > 0 ? v_get(from[j] + at, n) : zero;
            const vec even1 = v_add(a[0], a[2]), odd1 = v_add(a[1], a[3]);
            const vec even2 = v_fma(four, a[2], a[0]), odd2 = v_fma(four, a[3], a[1]);
            v_store(to, a[0]);
            v_store(to + plane, v_add(even1, odd1));
            v_store(to + 2 * plane, v_sub(even1, odd1));
            v_store(to + 3 * plane, v_fma(two, odd2, even2));
            v_store(to + 4 * plane, v_fnma(two, odd2, even2));
            v_store(to + 5 * plane, v_fma(third, v_fma(ninth, a[3], a[1]), v_fma(ninth, a[2], a[0])));
            v_store(to + 6 * plane, a[3]);
        }
    }
}

/// Adds Σ_t x[t, i] · y[t, o] to `rows` by 16 · `vectors` sums, of rows of CK_BLOCK.
INLINE void add_products(
    const size_t rows, const size_t vectors, size_t count, const float *x, size_t stride, const float *y, float *sums)
{
    vec sum[2 * GRADIENT_ROWS];
    UNROLL
    for (size_t r = 0; r < rows; r++) {
        UNROLL
        for (size_t v = 0; v < vectors; v++) sum[r * vectors + v] = v_load(sums + r * CK_BLOCK + 16 * v);
    }
    for (size_t t = 0; t < count; t++, x += stride, y += CK_BLOCK) {
        vec right[2];
        UNROLL
        for (size_t v = 0; v < vectors; v++) right[v] = v_load(y + 16 * v);
        UNROLL
        for (size_t r = 0; r < rows; r++) {
            const vec left = v_set(x[r]);
            UNROLL
            for (size_t v = 0; v < vectors; v++) sum[r * vectors + v] = v_fma(left, right[v], sum[r * vectors + v]);
        }
    }
    UNROLL
    for (size_t r = 0; r < rows; r++) {
        UNROLL
        for (size_t v = 0; v < vectors; v++) v_store(sums + r * CK_BLOCK + 16 * v, sum[r * vectors + v]);
    }
}

#define EACH_COUNT(APPLY) \
    APPLY(1) APPLY(2) APPLY(3) APPLY(4) APPLY(5) APPLY(6) APPLY(7) APPLY(8) APPLY(9) APPLY(10) APPLY(11) APPLY(12)
#define DEFINE_PRODUCTS(R) \
    static void narrow_products_##R(size_t count, const float *x, size_t stride, const float *y, float *sums) { \
        if (R <= GRADIENT_ROWS) add_products(R, 1, count, x, stride, y, sums); \
    } \
    static void wide_products_##R(size_t count, const float *x, size_t stride, const float *y, float *sums) { \
        if (R <= GRADIENT_ROWS) add_products(R, 2, count, x, stride, y, sums); \
    }
EACH_COUNT(DEFINE_PRODUCTS)
static void (*const products[2][13])(size_t, const float *, size_t, const float *, float *) = {
#define ENTRY(R) [R] = narrow_products_##R,
    {EACH_COUNT(ENTRY)},
#undef ENTRY
#define ENTRY(R) [R] = wide_products_##R,
    {EACH_COUNT(ENTRY)},
#undef ENTRY
};

/// Adds the products of `count` rows to sums of all outputs: x `[count, inputs]`, y `[blocks, count, CK_BLOCK]`, sums
/// `[blocks, inputs, CK_BLOCK]`.
static void add_all_products(
    size_t inputs, size_t outputs, size_t count, const float *x, size_t stride, const float *y, float *sums)
{
    const row_blocks strips = cut(inputs, GRADIENT_ROWS);
    for (size_t o = 0; o < outputs; o += CK_BLOCK, y += count * CK_BLOCK) {
        const float *left = x;
        for (size_t s = 0; s < strips.count; s++) {
            const size_t height = strips.size + (s < strips.larger);
            products[outputs - o > 16][height](count, left, stride, y, sums);
            left += height;
            sums += height * CK_BLOCK;
        }
    }
}

/// From sums at the points, `[points, groups, blocks, inputs, CK_BLOCK]`, to taps.
static void gradient_taps(
    const ck_conv *conv, const float *sums, size_t first_input, size_t inputs, float *weight)
{
    const size_t block = inputs * CK_BLOCK, group_size = conv_blocks(conv) * block, plane = 2 * group_size;
    const size_t step = conv->inputs * conv->outputs;
    for (size_t group = 0; group < 2; group++)
        for (size_t i = 0; i < inputs; i++) {
            const float *const from = sums + group * group_size + i * CK_BLOCK;
            float *const to = weight + CK_FAST_TILE * group * step + (first_input + i) * conv->outputs;
            const size_t taps = least(CK_FAST_TILE, conv->taps - CK_FAST_TILE * group);
            EACH_VECTOR(conv->outputs, {
                vec m[CK_FAST_POINTS];
                UNROLL
                for (size_t p = 0; p < CK_FAST_POINTS; p++) m[p] = v_load(from + p * plane + c / CK_BLOCK * block + c % CK_BLOCK);
                const vec m1 = v_mul(v_set(-1.f / 4), m[1]), m2 = v_mul(v_set(1.f / 8), m[2]);
                const vec m3 = v_mul(v_set(1.f / 40), m[3]), m4 = v_mul(v_set(-1.f / 56), m[4]);
                const vec m5 = v_mul(v_set(243.f / 280), m[5]);
                const vec even1 = v_add(m1, m2), odd1 = v_sub(m1, m2), even2 = v_add(m3, m4), odd2 = v_sub(m3, m4);
                vec w[CK_FAST_TILE];
                w[0] = v_add(v_fma(v_set(-3.f / 4), m[0], m5), v_add(even1, even2));
                w[1] = v_fma(v_set(1.f / 3), m5, v_fma(v_set(2), odd2, odd1));
                w[2] = v_fma(v_set(1.f / 9), m5, v_fma(v_set(4), even2, even1));
                w[3] = v_add(v_fma(v_set(1.f / 27), m5, v_fma(v_set(8), odd2, odd1)), m[6]);
                for (size_t k = 0; k < taps; k++) v_put(to + k * step + c, w[k], n);
            });
        }
}

static void gradient_fast(
    const ck_conv *conv, const float *x, const float *y, size_t batch, size_t rows, size_t first_input, size_t inputs,
    float *scratch, float *weight)
{
    const size_t d = conv->dilation, reach = (conv->taps - 1) * d, most = fast_tiles(conv, conv->block_rows);
    const size_t width = conv_blocks(conv) * CK_BLOCK, plane = inputs * width;
    ck_conv part = *conv;
    part.inputs = inputs;
    float *const sums = scratch, *const outputs = sums + 2 * CK_FAST_POINTS * plane;
    float *const transformed = outputs + CK_FAST_POINTS * most * width;
    float *const zeros = transformed + CK_FAST_POINTS * (most + d) * inputs;
    memset(sums, 0, 2 * CK_FAST_POINTS * plane * sizeof(float));
    memset(zeros, 0, (inputs > conv->outputs ? inputs : conv->outputs) * sizeof(float));
    for (size_t b = 0; b < batch; b++)
        for (size_t row = 0; row < rows; row += conv->block_rows) {
            const size_t count = least(conv->block_rows, rows - row), tiles = fast_tiles(conv, count);
            const float *const from = x + (b * (rows + reach) + row) * conv->inputs + first_input;
            fast_inputs(
                &part, from, conv->inputs, count + reach, tiles + d, zeros,
                &(fast_rows){transformed, (tiles + d) * part.inputs, false});
            gradient_outputs(conv, y + (b * rows + row) * conv->outputs, count, tiles, zeros, outputs);
            for (size_t p = 0; p < CK_FAST_POINTS; p++)
                for (size_t group = 0; group < fast_part(conv, p).taps; group++)
                    add_all_products(
                        inputs, conv->outputs, tiles, transformed + (p * (tiles + d) + group * d) * inputs, inputs,
                        outputs + p * tiles * width, sums + (2 * p + group) * plane);
        }
    gradient_taps(conv, sums, first_input, inputs, weight);
}

static void gradient_direct(
    const ck_conv *conv, const float *x, const float *y, size_t batch, size_t rows, size_t first_input, size_t inputs,
    float *scratch, float *weight)
{
    const size_t d = conv->dilation, reach = (conv->taps - 1) * d, plane = inputs * conv_blocks(conv) * CK_BLOCK;
    float *const sums = scratch, *const outputs = sums + conv->taps * plane;
    memset(sums, 0, conv->taps * plane * sizeof(float));
    for (size_t b = 0; b < batch; b++)
        for (size_t row = 0; row < rows; row += GRADIENT_BLOCK) {
            const size_t count = least(GRADIENT_BLOCK, rows - row);
            for (size_t o = 0; o < conv->outputs; o += CK_BLOCK)
                for (size_t t = 0; t < count; t++) {
                    float *const to = outputs + o * count + t * CK_BLOCK;
                    const size_t n = least(CK_BLOCK, conv->outputs - o);
                    memcpy(to, y + (b * rows + row + t) * conv->outputs + o, n * sizeof(float));
                    if (n < CK_BLOCK) memset(to + n, 0, (CK_BLOCK - n) * sizeof(float));
                }
            const float *const from = x + (b * (rows + reach) + row) * conv->inputs + first_input;
            for (size_t k = 0; k < conv->taps; k++)
                add_all_products(
                    inputs, conv->outputs, count, from + k * d * conv->inputs, conv->inputs, outputs, sums + k * plane);
        }
    for (size_t k = 0; k < conv->taps; k++)
        for (size_t i = 0; i < inputs; i++)
            for (size_t o = 0; o < conv->outputs; o += CK_BLOCK)
                memcpy(
                    weight + (k * conv->inputs + first_input + i) * conv->outputs + o,
                    sums + k * plane + (o / CK_BLOCK * inputs + i) * CK_BLOCK,
                    least(CK_BLOCK, conv->outputs - o) * sizeof(float));
}

static void conv_gradient(
    const ck_conv *conv, const float *x, const float *y, size_t batch, size_t rows, size_t first_input, size_t end_input,
    float *scratch, float *weight)
{
    (conv_is_fast(conv) ? gradient_fast : gradient_direct)(
        conv, x, y, batch, rows, first_input, end_input - first_input, scratch, weight);
}
