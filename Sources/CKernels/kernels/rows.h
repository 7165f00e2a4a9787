// Kernels that reduce over the channels of a row. Sums have sixteen partial sums, one for each lane, added pairwise at the
// end, whatever the width of the CPU's vectors.

INLINE float sum_of_squares(const float *x, size_t channels) {
    vec sum = v_zero();
    EACH_VECTOR(channels, {
        const vec a = v_get(x + c, n);
        sum = v_fma(a, a, sum);
    });
    return v_sum(sum);
}

INLINE float inverse_root(float a) { return 1 / sqrtf(a); }

static void rms_norm(
    const float *x, size_t x_stride, const float *scale, float epsilon, size_t rows, size_t channels, float *y,
    size_t y_stride)
{
    for (size_t row = 0; row < rows; row++) {
        const float *const from = x + row * x_stride;
        const vec factor = v_set(inverse_root(sum_of_squares(from, channels) / (float)channels + epsilon));
        EACH_VECTOR(channels, {
            vec a = v_mul(v_get(from + c, n), factor);
            if (scale) a = v_mul(a, v_get(scale + c, n));
            v_put(y + row * y_stride + c, a, n);
        });
    }
}

/// The lanes from `n` on become `other`.
INLINE vec v_fill(vec a, size_t n, float other) {
    float buffer[16];
    v_store(buffer, a);
    for (size_t i = n; i < 16; i++) buffer[i] = other;
    return v_load(buffer);
}

INLINE float greatest(const float *x, size_t channels) {
    vec most = v_set(-INFINITY);
    EACH_VECTOR(channels, {
        const vec a = v_get(x + c, n);
        most = v_max(most, n == 16 ? a : v_fill(a, n, -INFINITY));
    });
    return v_greatest(most);
}

/// `y = e^(x - greatest)` and their sum.
INLINE float exponentials(const float *x, size_t channels, float *y) {
    const vec most = v_set(greatest(x, channels));
    vec sum = v_zero();
    EACH_VECTOR(channels, {
        vec e = v_exp(v_sub(v_get(x + c, n), most));
        if (n < 16) e = v_fill(e, n, 0);
        v_put(y + c, e, n);
        sum = v_add(sum, e);
    });
    return v_sum(sum);
}

static void quantize_rows(
    const float *x, size_t x_stride, size_t rows, size_t channels, uint8_t *y, size_t y_stride, float *scales)
{
    for (size_t row = 0; row < rows; row++) {
        const float *const from = x + row * x_stride;
        vec most = v_zero(), not_finite = v_zero();
        EACH_VECTOR(channels, {
            const vec a = v_get(from + c, n);
            most = v_max(most, v_abs(a));
            not_finite = v_fma(a, v_zero(), not_finite);
        });
        const float bound = v_greatest(most);
        const float inverse = 127 / bound;
        scales[row] = bound / 127 + v_sum(not_finite);
        // A row of zeros, or so small that its inverse overflows, is zero; one that is not finite has a scale that says so.
        const vec factor = v_set(isfinite(scales[row]) && inverse < INFINITY ? inverse : 0);
        EACH_VECTOR(channels, {
            const vec a = v_round(v_mul(v_get(from + c, n), factor));
            // The bound stands second, so that NaN becomes it.
            const vec shifted = v_min(v_max(v_add(a, v_set(128)), v_zero()), v_set(255));
            uint8_t buffer[16];
            v_store_u8(n == 16 ? y + row * y_stride + c : buffer, shifted);
            if (n < 16) memcpy(y + row * y_stride + c, buffer, n);
        });
    }
}

INLINE float dot(const float *a, const float *b, size_t count) {
    vec sum = v_zero();
    EACH_VECTOR(count, sum = v_fma(v_get(a + c, n), v_get(b + c, n), sum));
    return v_sum(sum);
}
