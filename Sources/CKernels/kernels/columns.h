// Kernels that reduce over rows, channel by channel.

enum { SUM_ROWS = 8 };

/// `count` rows from `x` on, or their products with those of `y`, added pairwise.
INLINE vec sum_of_rows(const float *x, const float *y, size_t channels, size_t count, size_t n) {
    vec sums[SUM_ROWS];
    UNROLL
    for (size_t row = 0; row < count; row++) {
        sums[row] = v_get(x + row * channels, n);
        if (y) sums[row] = v_mul(sums[row], v_get(y + row * channels, n));
    }
    UNROLL
    for (size_t step = 1; step < count; step *= 2) {
        UNROLL
        for (size_t row = 0; row + step < count; row += 2 * step) sums[row] = v_add(sums[row], sums[row + step]);
    }
    return sums[0];
}

static void sum_rows(const float *x, const float *y, size_t rows, size_t channels, float *sum) {
    memset(sum, 0, channels * sizeof(float));
    size_t row = 0;
    // Eight rows at a time, channel by channel: as many streams as the CPU fetches ahead, and sums that stay near.
    for (; row + SUM_ROWS <= rows; row += SUM_ROWS) {
        const float *const a = x + row * channels, *const b = y ? y + row * channels : NULL;
        EACH_VECTOR(
            channels,
            v_put(sum + c, v_add(v_get(sum + c, n), sum_of_rows(a + c, b ? b + c : NULL, channels, SUM_ROWS, n)), n));
    }
    for (; row < rows; row++) {
        const float *const a = x + row * channels, *const b = y ? y + row * channels : NULL;
        EACH_VECTOR(
            channels, v_put(sum + c, v_add(v_get(sum + c, n), sum_of_rows(a + c, b ? b + c : NULL, channels, 1, n)), n));
    }
}
